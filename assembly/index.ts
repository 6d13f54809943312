// The kernels that the binary exports; nothing else. src/kernels/kernels.ts is the same list,
// typed.
export { absorbF32, absorbI16 } from "./absorbed";
export { attendLatentF32 } from "./attention";
export { attendLatentF16, attendLatentI16, attendLatentQ8_0 } from "./attention-i16";
export { storeLatentF16, storeLatentF32, storeLatentI16, storeLatentQ8_0 } from "./cache";
export { loadLatentF16, loadLatentF32, loadLatentI16, loadLatentQ8_0 } from "./cache-load";
export { attendExpandedFinish, attendExpandedStart, attendExpandedTile } from "./expanded";
export {
  attendExpandedFinishI16,
  attendExpandedStartI16,
  attendExpandedTileI16,
} from "./expanded-i16";
export { matmulF32, sparseMatmulF32 } from "./floats";
export { matmulI16 } from "./matmul";
export { matvecI16 } from "./matvec";
export { packAbsorbed } from "./pack-absorbed";
export { packFloatSlab, packFloats } from "./pack-floats";
export { packPanels } from "./pack-panels";
export { packSlab } from "./pack-slab";
export { quantizeI16 } from "./quantize";
export { readBytes } from "./read";
export { relu2ActiveF32 } from "./relu2";
export { addF32 } from "./residual";
export { rmsnormF32 } from "./rmsnorm";
export { ropeF32 } from "./rope";
export { sparseMatmulI16 } from "./slab";
export { pairActiveF32, sparseMatmulTiles } from "./slab-tiles";
export { joinTeam, spinWhile } from "./team";
export { dequantizeRow } from "./unpack";
