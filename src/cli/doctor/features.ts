/** What this runtime has of WebAssembly, tested rather than read from its version. */
import platform from "#platform";
import { loadModel } from "../../generation/load-model.js";
import { MAX_MEMORY_BYTES } from "../../kernels/arena.js";
import type { RelaxedKernels } from "../../kernels/kernels.js";
import { instantiateKernels, kernelsBytes } from "../../kernels/load.js";
import { type DotReading, probeRelaxedDot } from "../../kernels/probe.js";
import type { Features } from "./report.js";

/** A page of WebAssembly; the kernels' own data take less. */
const PAGE_BYTES = 65536;

export async function findFeatures(model: URL): Promise<Features> {
  if (typeof WebAssembly !== "object") {
    return { wasm: false, simd: false, relaxedDot: null, sharedMemory: false, threads: null };
  }
  return {
    wasm: true,
    simd: WebAssembly.validate(kernelsBytes("simd")),
    relaxedDot: await readRelaxedDot(),
    sharedMemory: hasSharedMemory(),
    threads: platform.parallelism() < 2 ? null : await startsThreads(model),
  };
}

async function readRelaxedDot(): Promise<DotReading | null> {
  const bytes = kernelsBytes("relaxed");
  if (!WebAssembly.validate(bytes)) return null;
  const most = MAX_MEMORY_BYTES / PAGE_BYTES;
  const memory = new WebAssembly.Memory({ initial: 1, maximum: most });
  const { kernels } = await instantiateKernels<RelaxedKernels>(memory, bytes);
  return probeRelaxedDot(kernels, memory, PAGE_BYTES - 256);
}

function hasSharedMemory(): boolean {
  try {
    const { buffer } = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    return Object.prototype.toString.call(buffer) === "[object SharedArrayBuffer]";
  } catch {
    return false;
  }
}

async function startsThreads(source: URL): Promise<boolean> {
  try {
    const model = await loadModel(source, { threads: 2, contextLength: 1 });
    const { threads } = model;
    model.dispose();
    return threads > 1;
  } catch {
    return false;
  }
}
