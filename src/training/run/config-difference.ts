/** Finds where two configs differ in what a model has learnt. */
import type { TrainingConfig } from "./config.js";
import { learningRate, microBatches, phaseOf } from "./schedule.js";

/** A key and its values, as JSON or "nothing". */
interface Difference {
  readonly path: string;
  readonly one: string;
  readonly other: string;
}

/** Keys that may change during a run: its name, measurements, checkpoints and the texts' paths. */
const FREE = /^(name|samples|checkpoint|evaluation\.(every|stride)|texts\..*\.path)(\.|$)/;

/** Keys that may change for later steps. */
const PLANS = /^(schedule|phases|batch\.accumulate)$/;

/**
 * The first key, in the order of `one`, then of `other`, in which two configs differ; failing that,
 * the first step, up to `steps` of those of `other`, in which their plans differ.
 */
export function firstDifference(
  one: TrainingConfig,
  other: TrainingConfig,
  steps: number,
): Difference | undefined {
  const found = differenceIn(one, other, "");
  if (found !== undefined) return found;
  for (let step = 1; step <= Math.min(steps, other.schedule.steps); step++) {
    const planned = differenceIn(planOf(one, step), planOf(other, step), "");
    if (planned !== undefined) return { ...planned, path: `${planned.path} of step ${step}:` };
  }
  return undefined;
}

/** A config's plan of one step. */
function planOf({ schedule, batch, phases }: TrainingConfig, step: number): Tree {
  return {
    rate: learningRate(schedule, step),
    microBatches: microBatches(batch, schedule, step),
    mix: phases[phaseOf(schedule, step)],
  };
}

function differenceIn(one: unknown, other: unknown, path: string): Difference | undefined {
  if (FREE.test(path) || PLANS.test(path)) return undefined;
  if (!isTree(one) || !isTree(other)) {
    const [left, right] = [one, other].map((value) => JSON.stringify(value) ?? "nothing");
    return left === right ? undefined : { path, one: left, other: right };
  }
  for (const key of new Set([...Object.keys(one), ...Object.keys(other)])) {
    // Texts may be added or removed; the plans show which are learnt from.
    if (path === "texts" && !(Object.hasOwn(one, key) && Object.hasOwn(other, key))) continue;
    const of = (tree: Tree): unknown => (Object.hasOwn(tree, key) ? tree[key] : undefined);
    const found = differenceIn(of(one), of(other), path === "" ? key : `${path}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

type Tree = Readonly<Record<string, unknown>>;

/** Whether a JSON value has members; those of arrays are their elements. */
function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null;
}
