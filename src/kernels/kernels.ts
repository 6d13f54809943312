/**
 * The typed interface of the kernels' binaries: one member per export of assembly/index.ts and of
 * assembly/relaxed.ts, whose files hold the contracts. Names ending in Ptr are byte addresses in
 * the one memory; counts and strides are in elements. `type` is a PACKED_TYPES id, in the pack
 * kernels a GGUF tensor type id.
 */

export interface Kernels {
  // activations
  /** i16 blocks[rows, n] <- f32[rows, n] */
  quantizeI16(yPtr: number, xPtr: number, rows: number, n: number): void;
  /** f32[n] += f32[n] */
  addF32(xPtr: number, yPtr: number, n: number): void;

  // linear layers
  /** f32[rows] <- Q8, Q4, Q4M or Q4K panels[rows, cols], i16 row */
  matvecI16: Matvec;
  /** f32[n, rows] <- panels as above, i16 rows[n], each row as matvecI16; shape as below */
  matvecRowsI16: MatvecRows;
  /** f32[n, rows] <- panels[rows, cols], i16 rows[n]; shape: i32 n, rows, cols, stride */
  matmulI16: Matmul;
  /** tiles of planes[rows, n] <- f32[rows, n] */
  quantizePlanes(yPtr: number, xPtr: number, rows: number, n: number, planes: number): void;
  /**
   * f32[n, rows] <- panels[rows, cols], tiles; shape: i32 n, rows, cols, stride, planes, of which
   * only the relaxed binary takes 2
   */
  matmulPlanes: Matmul;
  /** f32[n, rows] <- floats[rows, cols], f32[n, cols]; shape as above */
  matmulF32(yPtr: number, wPtr: number, type: number, xPtr: number, shapePtr: number): void;
  /** f32[cols] <- floats[rows, cols] transposed, f32[rows] */
  absorbF32: Matvec;
  /** f32[cols] <- absorbed keys of panels[rows, cols], f32[rows] */
  absorbI16: Absorb;
  /** absorbed keys <- panels[rows, cols] */
  packAbsorbed(
    toPtr: number,
    wPtr: number,
    type: number,
    rows: number,
    cols: number,
    scratchPtr: number,
  ): void;
  /**
   * f32[n, outputs] <- slab[neurons, outputs], i16 rows[n], active lists; shape: i32 neurons,
   * outputs, first, end
   */
  sparseMatmulI16(
    yPtr: number,
    wPtr: number,
    type: number,
    xPtr: number,
    activePtr: number,
    n: number,
    shapePtr: number,
    scratchPtr: number,
  ): void;
  /** scale <- u32 list of active neurons, which becomes pairs, and f32[neurons] */
  pairActiveF32(listPtr: number, count: number, xPtr: number): number;
  /** f32[n, outputs] <- slab[neurons, outputs], lists of pairs, f32[n] scales; shape as above */
  sparseMatmulTiles(
    yPtr: number,
    wPtr: number,
    type: number,
    activePtr: number,
    scalesPtr: number,
    n: number,
    shapePtr: number,
    scratchPtr: number,
  ): void;
  /** f32[n, outputs] <- floats[neurons, outputs], f32[n, neurons], active lists; shape as above */
  sparseMatmulF32(
    yPtr: number,
    wPtr: number,
    type: number,
    xPtr: number,
    activePtr: number,
    n: number,
    shapePtr: number,
  ): void;
  /** f32[cols] <- row of a packed or float matrix */
  dequantizeRow(
    yPtr: number,
    wPtr: number,
    type: number,
    row: number,
    cols: number,
    scratchPtr: number,
  ): void;

  // threads
  joinTeam(teamPtr: number, count: number, spins: number): number;
  spinWhile(ptr: number, value: number): number;

  // packing; each returns 0, or bits: 1 for a number that is not finite, 2 for a scale of 128 or
  // more
  packPanels(
    toPtr: number,
    srcPtr: number,
    type: number,
    rows: number,
    cols: number,
    scratchPtr: number,
  ): number;
  packSlab(
    toPtr: number,
    srcPtr: number,
    type: number,
    first: number,
    count: number,
    shapePtr: number,
    scratchPtr: number,
  ): number;
  packFloats(toPtr: number, srcPtr: number, type: number, n: number): number;
  packFloatSlab(
    toPtr: number,
    srcPtr: number,
    type: number,
    first: number,
    count: number,
    shapePtr: number,
  ): number;

  // norms, rope, activations and the latent cache
  attendExpandedFinish(outPtr: number, statePtr: number, tilePtr: number): void;
  attendExpandedStart(outPtr: number, statePtr: number, tilePtr: number): void;
  attendExpandedTile(
    outPtr: number,
    statePtr: number,
    qPtr: number,
    kvPtr: number,
    kPePtr: number,
    tilePtr: number,
    scratchPtr: number,
  ): void;
  attendExpandedFinishI16(outPtr: number, statePtr: number, tilePtr: number): void;
  attendExpandedStartI16(
    outPtr: number,
    statePtr: number,
    packedPtr: number,
    qPtr: number,
    tilePtr: number,
  ): void;
  attendExpandedTileI16(
    outPtr: number,
    statePtr: number,
    packedPtr: number,
    kvPtr: number,
    kPePtr: number,
    tilePtr: number,
    scratchPtr: number,
  ): void;
  attendLatentF16: AttendLatent;
  attendLatentF32: AttendLatent;
  attendLatentI16: AttendLatent;
  attendLatentQ8_0: AttendLatent;
  loadLatentF16: LoadLatent;
  loadLatentF32: LoadLatent;
  loadLatentI16: LoadLatent;
  loadLatentQ8_0: LoadLatent;
  readBytes(xPtr: number, bytes: number): number;
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
  storeLatentF16: StoreLatent;
  storeLatentF32: StoreLatent;
  storeLatentI16: StoreLatent;
  storeLatentQ8_0: StoreLatent;
}

/** What the relaxed binary has in addition to `Kernels`. */
export interface RelaxedKernels extends Kernels {
  /** i32[4] <- this engine's relaxed dot of s8[16], u8[16], i32[4] */
  probeDot(toPtr: number, aPtr: number, bPtr: number): void;
  /** s8 planes[rows, n] <- f32[rows, n] */
  quantizeS8X2(yPtr: number, xPtr: number, rows: number, n: number): void;
  /** as absorbI16, with the relaxed dot */
  absorbS8X2: Absorb;
  /** f32[rows] <- Q8, Q4 or Q4K panels[rows, cols], a row of quantizeS8X2 */
  matvecS8X2: Matvec;
  /** f32[n, rows] <- panels as above, rows[n] of quantizeS8X2, each row as matvecS8X2 */
  matvecRowsS8X2: MatvecRows;
}

/** matvecI16 and its variants: y = W x for one token. */
export type Matvec = (
  yPtr: number,
  wPtr: number,
  type: number,
  xPtr: number,
  rows: number,
  cols: number,
) => void;

/** matvecRowsI16 and its variants: Y = X W^T for the tokens of several sequences. */
export type MatvecRows = (
  yPtr: number,
  wPtr: number,
  type: number,
  xPtr: number,
  shapePtr: number,
) => void;

/** absorbI16 and its variants: y = W^T x for the keys of one head. */
export type Absorb = (
  yPtr: number,
  keysPtr: number,
  type: number,
  xPtr: number,
  rows: number,
  cols: number,
  scratchPtr: number,
) => void;

/** matmulI16 and its variants: Y = X W^T for several tokens. */
export type Matmul = (
  yPtr: number,
  wPtr: number,
  type: number,
  xPtr: number,
  shapePtr: number,
  scratchPtr: number,
) => void;

/** Whether the kernels are those of the relaxed binary. */
export function isRelaxed(kernels: Kernels): kernels is RelaxedKernels {
  return "probeDot" in kernels;
}

/** storeLatentF32 and its variants: one row of the latent cache from f32 values. */
export type StoreLatent = (
  rowPtr: number,
  latentPtr: number,
  latentDim: number,
  kPePtr: number,
  ropeDim: number,
) => void;

/** loadLatentF32 and its variants: rows of the latent cache as f32 values. */
export type LoadLatent = (
  latentsPtr: number,
  kPesPtr: number,
  rowsPtr: number,
  count: number,
  latentDim: number,
  ropeDim: number,
) => void;

/** attendLatentF32 and its variants: latent attention of one token over pages of the cache. */
export type AttendLatent = (
  outPtr: number,
  qPtr: number,
  pagesPtr: number,
  positions: number,
  shapePtr: number,
  scratchPtr: number,
) => void;
