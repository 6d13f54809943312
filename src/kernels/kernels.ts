/**
 * The typed interface of the kernels' binary: one line per export of assembly/index.ts, whose files
 * hold the contracts. Names ending in Ptr are byte addresses in the one memory; counts and strides
 * are in elements.
 */
export interface Kernels {
  addF32(xPtr: number, yPtr: number, n: number): void;
  argmaxF32(xPtr: number, n: number): number;
  attendExpandedFinish(outPtr: number, statePtr: number, tilePtr: number): void;
  attendExpandedScratchBytes(nopeDim: number, ropeDim: number, valueDim: number): number;
  attendExpandedStart(outPtr: number, statePtr: number, tilePtr: number): void;
  attendExpandedStateBytes(queries: number, heads: number): number;
  attendExpandedTile(
    outPtr: number,
    statePtr: number,
    qPtr: number,
    kvPtr: number,
    kPePtr: number,
    tilePtr: number,
    scratchPtr: number,
  ): void;
  attendLatentF16: AttendLatent;
  attendLatentF32: AttendLatent;
  attendLatentI16: AttendLatent;
  attendLatentQ8_0: AttendLatent;
  attendLatentScratchBytes(heads: number, latentDim: number, ropeDim: number): number;
  loadLatentF16: LoadLatent;
  loadLatentF32: LoadLatent;
  loadLatentI16: LoadLatent;
  loadLatentQ8_0: LoadLatent;
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
  storeLatentF16: StoreLatent;
  storeLatentF32: StoreLatent;
  storeLatentI16: StoreLatent;
  storeLatentQ8_0: StoreLatent;
  topKF32(xPtr: number, n: number, k: number, indicesPtr: number): void;
}

/** storeLatentF32 and its kin: one row of the latent cache from f32 values. */
export type StoreLatent = (
  rowPtr: number,
  latentPtr: number,
  latentDim: number,
  kPePtr: number,
  ropeDim: number,
) => void;

/** loadLatentF32 and its kin: rows of the latent cache as f32 values. */
export type LoadLatent = (
  latentsPtr: number,
  kPesPtr: number,
  rowsPtr: number,
  count: number,
  latentDim: number,
  ropeDim: number,
) => void;

/** attendLatentF32 and its kin: latent attention of one token over rows of the cache. */
export type AttendLatent = (
  outPtr: number,
  qPtr: number,
  rowsPtr: number,
  positions: number,
  shapePtr: number,
  scratchPtr: number,
) => void;
