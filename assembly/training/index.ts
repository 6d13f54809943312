// The kernels that the training binary exports; nothing else. src/training/engine/kernels.ts is the
// same list, typed.
export { addF32 } from "../residual";
export { rmsnormF32 } from "../rmsnorm";
export { ropeF32 } from "../rope";
export { joinTeam, spinWhile } from "../team";
export { adamw } from "./adamw";
export { attend } from "./attend";
export { attendGrad } from "./attend-grad";
export { crossEntropy } from "./cross-entropy";
export { dropout } from "./dropout";
export { gatherRows, scatterAddRows } from "./embedding";
export { gemm } from "./gemm";
export { relu2GradPairs, relu2Pairs } from "./relu2-pairs";
export { rmsnormGainGrad, rmsnormGrad } from "./rmsnorm-grad";
export { ropeGrad } from "./rope-grad";
export { sparseRows } from "./sparse-rows";
export { sumSquares } from "./sum-squares";
export { transpose } from "./transpose";
export { transposePairs } from "./transpose-pairs";
