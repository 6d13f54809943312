/**
 * The typed interface of the kernels' binary: one line per export of assembly/index.ts, whose files
 * hold the contracts. Names ending in Ptr are byte addresses in the one memory; counts and strides
 * are in elements.
 */
export interface Kernels {
  addF32(xPtr: number, yPtr: number, n: number): void;
  argmaxF32(xPtr: number, n: number): number;
  relu2ActiveF32(xPtr: number, n: number, activePtr: number): number;
  rmsnormF32(
    yPtr: number,
    xPtr: number,
    weightPtr: number,
    rows: number,
    n: number,
    eps: number,
  ): void;
  ropeF32(xPtr: number, tablePtr: number, heads: number, headStride: number, n: number): void;
  softmaxF32(xPtr: number, n: number): void;
  topKF32(xPtr: number, n: number, k: number, indicesPtr: number): void;
}
