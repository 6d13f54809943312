/** Makes a training run's engine: its memory, its threads, and nothing read or trained yet. */
import { PlmError } from "../../errors.js";
import type { MemoryPlan } from "../../kernels/arena.js";
import type { PlmConfig } from "../../model/config.js";
import type { ThreadHandle } from "../../platform/thread-worker.js";
import { type Architecture, activationTables, layerTensors, PLM } from "../network/architecture.js";
import { layoutParameters } from "../network/parameters.js";
import type { TrainingSizes } from "./buffers.js";
import { TrainingEngine } from "./engine.js";
import { loadTrainingKernels } from "./load-kernels.js";
import { planTraining } from "./plan.js";
import { TrainingThread, type TrainingThreadStart } from "./thread.js";

/** How an engine is made. */
export interface EngineOptions {
  readonly config: PlmConfig;
  readonly sizes: TrainingSizes;
  /** Default: PLM. Others take one thread, since further threads run PLM only. */
  readonly architecture?: Architecture;
  /** Starts a thread that calls `runTrainingThread`; needed for more than one thread. */
  readonly startThread?: (start: TrainingThreadStart) => ThreadHandle;
  /** Sees the plan of the memory before it is allocated. */
  readonly onPlan?: (plan: MemoryPlan) => void;
}

/**
 * An engine whose parameters are all zero. Throws OUT_OF_MEMORY before anything is allocated, and
 * INVALID_ARGUMENT where tokens are not whole sequences or the threads cannot start.
 */
export async function createTrainingEngine(options: EngineOptions): Promise<TrainingEngine> {
  const { config, sizes, architecture = PLM, startThread, onPlan } = options;
  const { tokens, contextLength, threads } = sizes;
  if (tokens === 0 || tokens % contextLength !== 0) {
    throw new PlmError(
      "INVALID_ARGUMENT",
      `tokens: expected a multiple of the context of ${contextLength}, got ${tokens}`,
    );
  }
  if (architecture !== PLM && threads > 1) {
    throw new PlmError(
      "INVALID_ARGUMENT",
      `threads: expected 1 for an architecture other than PLM, got ${threads}`,
      { argument: "threads" },
    );
  }
  const parameters = layoutParameters(config, layerTensors(architecture));
  const activations = activationTables(architecture);
  const { memory: plan, buffers } = planTraining(config, sizes, parameters, activations);
  onPlan?.(plan);
  plan.check(Infinity);
  const memory = plan.allocate(threads > 1);
  const { kernels, module } = await loadTrainingKernels(memory);
  const data = { config, sizes, parameters, buffers };
  const thread = new TrainingThread(data, kernels, memory, 0, architecture);
  const others: ThreadHandle[] = [];
  for (let index = 1; index < threads; index++) {
    if (startThread === undefined) {
      throw new PlmError("INVALID_ARGUMENT", `threads: expected 1 without a way to start them`);
    }
    others.push(startThread({ module, memory, data, index }));
  }
  await Promise.all(others.map(({ ready }) => ready));
  return new TrainingEngine(data, memory, thread, others);
}
