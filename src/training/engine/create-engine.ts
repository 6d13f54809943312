/** Creates a training run's engine: plans and allocates its memory, and starts its threads. */
import platform from "#platform";
import { invalidArgument } from "../../errors.js";
import type { MemoryPlan } from "../../kernels/arena.js";
import { ThreadStarter, threadObstacle } from "../../kernels/start-threads.js";
import type { PlmConfig } from "../../model/config.js";
import { checkScript, type ThreadScript } from "../../platform/thread-worker.js";
import { type Architecture, activationTables, layerTensors, PLM } from "../network/architecture.js";
import { layoutParameters } from "../network/parameters.js";
import type { TrainingSizes } from "./buffers.js";
import { TrainingEngine } from "./engine.js";
import { loadTrainingKernels } from "./load-kernels.js";
import { planTraining } from "./plan.js";
import { TrainingThread, type TrainingThreadStart } from "./thread.js";

/** Options of an engine. */
export interface EngineOptions {
  readonly config: PlmConfig;
  /** If not all threads start, one computes; `threadFailure` says why. */
  readonly sizes: TrainingSizes;
  /** Default: PLM. Others take one thread, since further threads run PLM only. */
  readonly architecture?: Architecture;
  /** The threads' script, as in `LoadOptions`; default: the package's own file. */
  readonly threadScript?: ThreadScript;
  /** Receives the plan of the memory before it is allocated. */
  readonly onPlan?: (plan: MemoryPlan) => void;
}

/**
 * An engine whose parameters are all zero. Throws OUT_OF_MEMORY before anything is allocated, and
 * INVALID_ARGUMENT if tokens are not whole sequences or the number of threads is not supported.
 */
export async function createTrainingEngine(options: EngineOptions): Promise<TrainingEngine> {
  const { config, sizes, architecture = PLM, threadScript, onPlan } = options;
  const { tokens, contextLength } = sizes;
  checkScript("threadScript", threadScript);
  if (tokens === 0 || tokens % contextLength !== 0) {
    const expected = `a multiple of the context of ${contextLength}`;
    throw invalidArgument("tokens", expected, String(tokens));
  }
  if (architecture !== PLM && sizes.threads > 1) {
    const expected = "1 for an architecture other than PLM";
    throw invalidArgument("threads", expected, String(sizes.threads));
  }
  const parameters = layoutParameters(config, layerTensors(architecture));
  const activations = activationTables(architecture);
  const { memory: plan, buffers } = planTraining(config, sizes, parameters, activations);
  onPlan?.(plan);
  plan.check(Infinity);
  const obstacle = sizes.threads > 1 ? threadObstacle() : undefined;
  const others = obstacle === undefined ? sizes.threads - 1 : 0;
  const memory = plan.allocate(others > 0);
  const { kernels, module } = await loadTrainingKernels(memory);
  const data = { config, sizes, parameters, buffers };
  const maySleep = platform.maySleep();
  const thread = new TrainingThread(data, kernels, memory, { index: 0, maySleep }, architecture);
  const starter = new ThreadStarter({
    memory,
    teamPtr: buffers.team,
    startThread: (index) => {
      const start: TrainingThreadStart = { module, memory, data, index };
      return platform.startThread(start, threadScript);
    },
  });
  const threads = await starter.start(others);
  return new TrainingEngine(data, memory, thread, threads, starter.failure ?? obstacle);
}
