/**
 * The type of `plm-wasm/simd.wasm` and `plm-wasm/relaxed.wasm`: a compiled module where the runtime
 * imports it (Workers), bytes if a bundler is configured so; the option `wasm` takes both.
 */
import type { KernelsBinary } from "./load.js";

declare const binary: KernelsBinary;
export default binary;
