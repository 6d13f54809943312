/** Instantiates the kernels' binary over a memory. The only user of the AssemblyScript loader. */
import { instantiate } from "@assemblyscript/loader";
import { PlmError } from "../errors.js";
import { kernelsBase64 } from "./binary.js";
import type { Kernels } from "./kernels.js";

/** The kernels' binary: bytes, or a module that the runtime compiled (Workers refuse bytes). */
export type KernelsBinary = WebAssembly.Module | BufferSource;

/** The kernels of the package as wasm bytes. */
export function kernelsBytes(): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(kernelsBase64), (character) => character.charCodeAt(0));
}

/**
 * Instantiates the kernels over `memory`, from `binary` or, without it, the copy in the package.
 * Throws UNSUPPORTED_RUNTIME where the runtime refuses the binary (no SIMD, or compiling
 * forbidden).
 */
export async function loadKernels(
  memory: WebAssembly.Memory,
  binary: KernelsBinary = kernelsBytes(),
): Promise<Kernels> {
  try {
    const { exports } = await instantiate<Record<string, unknown>>(binary as WebAssembly.Module, {
      env: { memory },
    });
    return exports as unknown as Kernels;
  } catch (cause) {
    throw new PlmError(
      "UNSUPPORTED_RUNTIME",
      `kernels: this runtime refused the WebAssembly SIMD binary: ${(cause as Error).message}`,
      { cause },
    );
  }
}
