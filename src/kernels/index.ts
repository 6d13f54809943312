/**
 * `plm-wasm/kernels`: the kernels alone, for programs that need only int8 products, latent
 * attention or packing over their own memory. The contracts are in assembly/, beside each kernel.
 */
import "../web-types.js";

export { MAX_MEMORY_BYTES, MemoryPlan, type Region, type RegionKind } from "./arena.js";
export {
  type Absorb,
  type AttendLatent,
  isRelaxed,
  type Kernels,
  type LoadLatent,
  type Matmul,
  type Matvec,
  type RelaxedKernels,
  type StoreLatent,
} from "./kernels.js";
export {
  type KernelsBinary,
  type KernelsOptions,
  kernelsBytes,
  type LoadedKernels,
  loadKernels,
  type Variant,
} from "./load.js";
export * from "./packed.js";
