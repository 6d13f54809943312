// The kernels that the binary exports; nothing else. src/kernels/kernels.ts is the same list, typed.
export { addScaledF32, matmulF32, sparseMatmulF32 } from "./floats";
export { matmulI16 } from "./matmul";
export { matvecQ8 } from "./matvec";
export { quantizeI16 } from "./quantize";
export { packFloatSlab, packFloats, packPanels, packSlab } from "./pack";
export { addF32 } from "./residual";
export { sparseMatmulI16 } from "./slab";
export { matvecTransposed } from "./transposed";
export { dequantizeRow } from "./unpack";
