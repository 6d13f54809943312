/** Makes a trainer engine with an MLP or an attention other than PLM's. */
import type { PlmConfig } from "../../src/model/config.js";
import { TrainingEngine } from "../../src/training/engine/engine.js";
import { loadTrainingKernels } from "../../src/training/engine/load-kernels.js";
import { planTraining, type TrainingSizes } from "../../src/training/engine/plan.js";
import { TrainingThread } from "../../src/training/engine/thread.js";
import { Attention } from "../../src/training/network/attention.js";
import { Mlp } from "../../src/training/network/mlp.js";
import { type LayerShapes, layoutParameters } from "../../src/training/network/parameters.js";
import { type Activation, GELU, SWIGLU } from "./activations.js";
import { DenseMlp, planDenseMlp } from "./dense-mlp.js";
import { FullAttention, fullAttentionShapes } from "./full-attention.js";

/** The parts of a block. */
export interface Architecture {
  readonly attention: "mla" | "full";
  readonly activation: "relu2" | "gelu" | "swiglu";
}

const DENSE: Readonly<Record<Architecture["activation"], Activation | undefined>> = {
  relu2: undefined,
  gelu: GELU,
  swiglu: SWIGLU,
};

function shapesOf(config: PlmConfig, { attention, activation }: Architecture): LayerShapes {
  const upRows = DENSE[activation]?.upRows ?? 1;
  return {
    ...(attention === "full" ? fullAttentionShapes(config) : {}),
    upProj: [upRows * config.intermediateSize, config.hiddenSize],
  };
}

/** An engine of one thread, with all parameters zero. */
export async function createVariantEngine(
  config: PlmConfig,
  architecture: Architecture,
  { tokens, contextLength }: Omit<TrainingSizes, "threads">,
): Promise<TrainingEngine> {
  const sizes = { tokens, contextLength, threads: 1 };
  const parameters = layoutParameters(config, shapesOf(config, architecture));
  const planned = planTraining(config, parameters, sizes);
  const dense = DENSE[architecture.activation];
  const own = dense && planDenseMlp(planned.memory, dense, { config, sizes });
  let { buffers } = planned;
  if (own !== undefined) {
    const transposed = new Map(buffers.transposed);
    for (const { downProj } of parameters.layers) transposed.set(downProj.offset, own.down);
    const upBytes = tokens * config.intermediateSize * dense!.upRows * 4;
    const layers = buffers.layers.map((layer) => ({
      ...layer,
      up: planned.memory.add("scratch", "up", upBytes),
    }));
    buffers = { ...buffers, transposed, layers };
  }
  const memory = planned.memory.allocate();
  const { kernels } = await loadTrainingKernels(memory);
  const data = { config, sizes, parameters, buffers };
  const thread = new TrainingThread(data, kernels, memory, 0, (parts) => ({
    attention: architecture.attention === "mla" ? new Attention(parts) : new FullAttention(parts),
    mlp: own === undefined ? new Mlp(parts) : new DenseMlp(parts, own, dense!),
  }));
  return new TrainingEngine(data, memory, thread, []);
}
