/** What kernels are instantiated with. */
import type { UsableReading } from "./probe.js";

/**
 * The imports of an instance: its memory and, for the relaxed variant, how its dot is read
 * (assembly/reading.ts). All instances over one memory must have the same, since weights lie in it
 * as the dot reads them.
 */
export function kernelImports(
  memory: WebAssembly.Memory,
  reading: UsableReading,
): WebAssembly.Imports {
  return { env: { memory, dotReading: reading === "s8" ? -1 : 0 } };
}
