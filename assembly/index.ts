// The kernels that the binary exports; nothing else. src/kernels/kernels.ts is the same list, typed.
export { addF32 } from "./residual";
