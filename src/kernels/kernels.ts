/**
 * The typed interface of the kernels' binary: one line per export of assembly/index.ts, whose files
 * hold the contracts. Names ending in Ptr are byte addresses in the one memory; counts and strides
 * are in elements.
 */
export interface Kernels {
  addF32(xPtr: number, yPtr: number, n: number): void;
}
