// The kernels of the variant for engines with relaxed SIMD: all of index.ts, and what is faster
// with the relaxed dot. Which of them serve is decided by probing and timing
// (src/kernels/choose.ts).
export * from "./index";
export { absorbS8X2 } from "./absorbed";
export { matmulPlanes } from "./matmul-planes";
export { matvecS8X2 } from "./matvec";
export { quantizePlanes } from "./planes";
export { probeDot } from "./probe";
export { quantizeS8X2 } from "./quantize";
