/**
 * `plm-wasm/kernels`: the kernels by themselves, for those who want only int8 products, latent
 * attention or packing over a memory of their own. Contracts are in assembly/, one file a kernel.
 */
export { MAX_MEMORY_BYTES, MemoryPlan, type Region, type RegionKind } from "./arena.js";
export type { AttendLatent, Kernels, LoadLatent, StoreLatent } from "./kernels.js";
export { type KernelsBinary, kernelsBytes, loadKernels } from "./load.js";
export * from "./packed.js";
