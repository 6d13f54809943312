/** Where two configs differ, but for what does not change what a model learns. */
import type { TrainingConfig } from "./config.js";

/** A key and its values, as JSON or "nothing". */
export interface Difference {
  readonly path: string;
  readonly one: string;
  readonly other: string;
}

/** Keys that may change while a run goes on: how it is watched and kept, and where texts lie. */
const FREE = /^(samples|checkpoint|evaluation\.(every|stride)|texts\..*\.path)(\.|$)/;

/** The first key, in the order of `one`, then of `other`, in which two configs differ. */
export function firstDifference(
  one: TrainingConfig,
  other: TrainingConfig,
): Difference | undefined {
  return differenceIn(one, other, "");
}

function differenceIn(one: unknown, other: unknown, path: string): Difference | undefined {
  if (FREE.test(path)) return undefined;
  if (!isTree(one) || !isTree(other)) {
    const [left, right] = [one, other].map((value) => JSON.stringify(value) ?? "nothing");
    return left === right ? undefined : { path, one: left, other: right };
  }
  for (const key of new Set([...Object.keys(one), ...Object.keys(other)])) {
    const of = (tree: Tree): unknown => (Object.hasOwn(tree, key) ? tree[key] : undefined);
    const found = differenceIn(of(one), of(other), path === "" ? key : `${path}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

type Tree = Readonly<Record<string, unknown>>;

/** Whether a JSON value has members; lists have theirs by index. */
function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null;
}
