// The kernels of the variant for engines with relaxed SIMD: all of index.ts, and those that are
// faster with the relaxed dot. Probing and timing decide which of them are used
// (src/kernels/choose-kernels.ts).
export * from "./index";
export { absorbS8X2 } from "./linear/absorb";
export { matvecS8X2 } from "./linear/matvec";
export { matvecRowsS8X2 } from "./linear/matvec-rows";
export { probeDot } from "./probe";
export { quantizeS8X2 } from "./linear/quantize";
