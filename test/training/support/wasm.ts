/** A memory of its own with the training kernels over it, for their tests. */
import type { TrainingKernels } from "../../../src/training/engine/kernels.js";
import { loadTrainingKernels } from "../../../src/training/engine/load-kernels.js";
import { type GemmFields, GemmShape } from "../../../src/training/engine/structs.js";
import { Regions } from "../../support/regions.js";

/** One test's memory, with the training kernels over it. */
export class TrainingBench extends Regions {
  readonly kernels: TrainingKernels;

  private constructor(kernels: TrainingKernels, memory: WebAssembly.Memory) {
    super(memory);
    this.kernels = kernels;
  }

  static async create(megabytes = 16): Promise<TrainingBench> {
    const memory = new WebAssembly.Memory({ initial: megabytes * 16, maximum: megabytes * 16 });
    const { kernels } = await loadTrainingKernels(memory);
    return new TrainingBench(kernels, memory);
  }

  /** A copy of `n` doubles; works at any alignment. */
  f64(ptr: number, n: number): Float64Array {
    return new Float64Array(this.u8(ptr, n * 8).slice().buffer);
  }

  /** A copy of `n` words; works at any alignment. */
  u32(ptr: number, n: number): Uint32Array {
    return new Uint32Array(this.u8(ptr, n * 4).slice().buffer);
  }

  /** `count` pairs of index and value. */
  pairs(ptr: number, count: number): [index: number, value: number][] {
    const indices = this.u32(ptr, count * 2);
    const values = this.f32(ptr, count * 2);
    return Array.from({ length: count }, (_, i) => [indices[2 * i], values[2 * i + 1]]);
  }

  /** Address of a new GemmShape. */
  gemmShape(fields: GemmFields): number {
    const shape = new GemmShape(this.memory, this.region(GemmShape.BYTES));
    shape.write(fields);
    return shape.ptr;
  }
}

/** Pairs as the kernels have them in memory. */
export function packPairs(pairs: readonly (readonly [number, number])[]): Uint32Array {
  const words = new Uint32Array(pairs.length * 2);
  const values = new Float32Array(words.buffer);
  pairs.forEach(([index, value], i) => {
    words[2 * i] = index;
    values[2 * i + 1] = value;
  });
  return words;
}
