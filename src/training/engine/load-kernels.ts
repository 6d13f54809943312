/** Instantiates the training kernels over a memory. */
import { bytesOfBase64, instantiateKernels, type KernelsBinary } from "../../kernels/load.js";
import { trainingBase64 } from "./binary.js";
import type { TrainingKernels } from "./kernels.js";

/** Training kernels over a memory, and their module. */
export interface LoadedTrainingKernels {
  readonly kernels: TrainingKernels;
  /** For other threads, which share the memory, to instantiate. */
  readonly module: WebAssembly.Module;
}

/** The training kernels as wasm bytes. */
export function trainingKernelsBytes(): Uint8Array<ArrayBuffer> {
  return bytesOfBase64(trainingBase64);
}

/**
 * Instantiates the training kernels, by default the package's, over `memory`, which may be shared
 * and whose first 64 kB are theirs. Throws UNSUPPORTED_RUNTIME if the runtime refuses them.
 */
export function loadTrainingKernels(
  memory: WebAssembly.Memory,
  binary: KernelsBinary = trainingKernelsBytes(),
): Promise<LoadedTrainingKernels> {
  return instantiateKernels<TrainingKernels>(memory, binary);
}
