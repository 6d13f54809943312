/**
 * Times steps of a training run: `node build/bench/training.bench.js CONFIG [--threads N]
 * [--steps N] [--json]`. Parameters and tokens are random; the work of a step does not depend on
 * them, except for the zeros of the squared ReLU.
 *
 * A step of T tokens counts 6 T P + 6 T L h (c + 1) / 2 (n + r + v) operations: 2 a multiplication
 * and addition, 3 products a parameter (to the output, to the input, to the weight) of P parameters
 * of matrices, the tied embedding once as the head, and as many for the causal half of attention's
 * scores and values: L layers, h heads, c tokens of context, n + r dims of keys, v of values. That
 * is the work of a program without zero-skipping; the work for the share of activations that is not
 * zero is printed beside it.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type Batch, createBatch } from "../src/training/data/batches.js";
import { Random } from "../src/training/data/random.js";
import { createTrainingEngine } from "../src/training/engine/create-engine.js";
import type { TrainingEngine } from "../src/training/engine/engine.js";
import { GEMM_SCRATCH_BYTES } from "../src/training/engine/kernels.js";
import { loadTrainingKernels } from "../src/training/engine/load-kernels.js";
import { GemmShape } from "../src/training/engine/structs.js";
import { initializeParameters } from "../src/training/network/parameters.js";
import type { TrainingConfig } from "../src/training/run/config.js";
import { parseTrainingConfig } from "../src/training/run/parse-config.js";
import { mean } from "./learning/run.js";
import { readMachine } from "./machine.js";
import { median } from "./measure.js";

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    threads: { type: "string", default: "2" },
    steps: { type: "string", default: "20" },
    json: { type: "boolean", default: false },
  },
});
const [path] = positionals;
if (path === undefined) throw new TypeError("expected a config of plm train");

/** Operations of a step: all of them, and those that remain if zeros are skipped. */
function countOperations(
  { model, batch }: TrainingConfig,
  engine: TrainingEngine,
  zeroShares: readonly number[],
): { dense: number; left: number } {
  const { tokens, contextLength } = batch;
  const { numAttentionHeads, qkNopeHeadDim, qkRopeHeadDim, vHeadDim } = model;
  const matrices = engine.parameters.all.filter(({ decays }) => decays);
  const weights = matrices.reduce((sum, { rows, cols }) => sum + rows * cols, 0);
  const seen = (contextLength + 1) / 2;
  const headDims = qkNopeHeadDim + qkRopeHeadDim + vHeadDim;
  const attention = model.numHiddenLayers * numAttentionHeads * seen * headDims;
  const dense = 6 * tokens * (weights + attention);
  // All of the MLP's six products except the first skip zeros.
  const neurons = 5 * 2 * tokens * model.intermediateSize * model.hiddenSize;
  return { dense, left: dense - zeroShares.reduce((sum, share) => sum + share * neurons, 0) };
}

function randomBatch({ batch, model }: TrainingConfig): Batch {
  const random = Random.of(1, "bench");
  const filled = createBatch(batch.tokens);
  for (let t = 0; t < batch.tokens; t++) {
    filled.ids[t] = random.below(model.vocabSize);
    filled.targets[t] = random.below(model.vocabSize);
    filled.positions[t] = t % batch.contextLength;
  }
  return filled;
}

/** GFLOP/s of one thread's matrix product at the shape of the up-projection. */
async function timeGemm({ batch, model }: TrainingConfig): Promise<number> {
  const { hiddenSize: k, intermediateSize: n } = model;
  const m = batch.tokens;
  const aPtr = 65536;
  const bPtr = aPtr + m * k * 4;
  const cPtr = bPtr + k * n * 4;
  const shapePtr = cPtr + m * n * 4;
  const scratchPtr = shapePtr + GemmShape.BYTES;
  const pages = Math.ceil((scratchPtr + GEMM_SCRATCH_BYTES) / 65536);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const { kernels } = await loadTrainingKernels(memory);
  const strides = { aRow: k, aCol: 1, bRow: n, cRow: n };
  new GemmShape(memory, shapePtr).write({ m, n, k, ...strides, accumulate: false });
  const times = Array.from({ length: 60 }, () => {
    const startMs = performance.now();
    kernels.gemm(cPtr, aPtr, bPtr, shapePtr, scratchPtr);
    return performance.now() - startMs;
  });
  return (2 * m * n * k) / median(times) / 1e6;
}

const config = parseTrainingConfig(readFileSync(path, "utf8"));
const threads = Number(flags.threads);
const { tokens, contextLength } = config.batch;
const gemm = await timeGemm(config);
const engine = await createTrainingEngine({
  config: config.model,
  sizes: { tokens, contextLength, threads },
});
if (engine.threadFailure) throw engine.threadFailure;
const random = Random.of(2, "bench");
const normal = (): number => random.normal();
initializeParameters(engine.values, engine.parameters, config.optimizer.initStd, normal);
engine.valuesWritten();
const batch = randomBatch(config);
const times: number[] = [];
const shares: number[][] = [];
for (let step = 1; step <= Number(flags.steps) + 2; step++) {
  const startMs = performance.now();
  engine.clear();
  engine.addBatch(batch, 1 / tokens, { share: config.dropout, key: step });
  engine.update({ ...config.optimizer, step, rate: config.schedule.peakRate });
  // The first steps are slower: the kernels are being compiled.
  if (step <= 2) continue;
  times.push(performance.now() - startMs);
  shares.push(engine.zeroShares());
}
const zeroShares = shares[0].map((_, layer) => mean(shares.map((share) => share[layer])));
const { dense, left } = countOperations(config, engine, zeroShares);
const stepMs = median(times);
const result = {
  machine: readMachine("training"),
  threads,
  parameters: engine.parameters.length,
  tokens,
  stepMs,
  tokensPerSecond: (tokens * 1000) / stepMs,
  zeroShares,
  gigaflops: dense / stepMs / 1e6,
  gigaflopsLeft: left / stepMs / 1e6,
  /** One thread alone; and the step's rate over that of as many threads. */
  gemmGigaflops: gemm,
  shareOfGemm: dense / stepMs / 1e6 / (threads * gemm),
};
engine.dispose();
if (flags.json) console.log(JSON.stringify(result));
else {
  const { machine } = result;
  console.log(`cpu        ${machine.cpu}, ${machine.cores} cores; ${machine.runtime}`);
  console.log(
    `model      ${result.parameters} parameters, ${tokens} tokens a step, ${threads} threads`,
  );
  console.log(`step       ${stepMs.toFixed(1)} ms, ${Math.round(result.tokensPerSecond)} tokens/s`);
  console.log(
    `zeros      ${zeroShares.map((share) => `${(share * 100).toFixed(0)} %`).join(", ")}`,
  );
  console.log(`rate       ${result.gigaflops.toFixed(1)} GFLOP/s, zeros counted as work`);
  console.log(`           ${result.gigaflopsLeft.toFixed(1)} GFLOP/s without what they skip`);
  const share = (result.shareOfGemm * 100).toFixed(0);
  console.log(`gemm       ${gemm.toFixed(1)} GFLOP/s on one thread`);
  console.log(`           ${share} % of ${threads} times that is the rate of the step`);
}
