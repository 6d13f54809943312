// The kernels that the binary exports; nothing else. src/kernels/kernels.ts is the same list,
// typed.
export { absorbF32, absorbI16 } from "./linear/absorb";
export {
  attendLatentF16,
  attendLatentF32,
  attendLatentI16,
  attendLatentQ8_0,
} from "./attention/latent";
export { storeLatentF16, storeLatentF32, storeLatentI16, storeLatentQ8_0 } from "./attention/cache";
export {
  loadLatentF16,
  loadLatentF32,
  loadLatentI16,
  loadLatentQ8_0,
} from "./attention/cache-load";
export {
  attendExpandedFinish,
  attendExpandedStart,
  attendExpandedTile,
} from "./attention/expanded";
export {
  attendExpandedFinishI16,
  attendExpandedStartI16,
  attendExpandedTileI16,
} from "./attention/expanded-i16";
export { matmulF32, sparseMatmulF32 } from "./linear/floats";
export { matmulI16 } from "./linear/matmul";
export { matmulPlanes } from "./linear/matmul-planes";
export { matvecI16 } from "./linear/matvec";
export { matvecRowsI16 } from "./linear/matvec-rows";
export { packAbsorbed } from "./pack/absorbed";
export { packFloatSlab, packFloats } from "./pack/floats";
export { packPanels } from "./pack/panels";
export { packSlab } from "./pack/slab";
export { quantizePlanes } from "./linear/planes";
export { quantizeI16 } from "./linear/quantize";
export { readBytes } from "./read";
export { relu2ActiveF32 } from "./down/relu2";
export { addF32 } from "./residual";
export { rmsnormF32 } from "./rmsnorm";
export { ropeF32 } from "./rope";
export { sparseMatmulI16 } from "./down/slab";
export { pairActiveF32, sparseMatmulTiles } from "./down/slab-tiles";
export { joinTeam, spinWhile } from "./team";
export { dequantizeRow } from "./linear/unpack";
