/** Instantiates the kernels over a memory. The only user of the AssemblyScript loader. */
import { brandOf, bytesOf } from "../brands.js";
import { kindOf } from "../describe.js";
import { invalidArgument, PlmError, reasonOf } from "../errors.js";
import { requireGlobal } from "../globals.js";
import type { OwnBytes } from "../web-types.js";
import { relaxedBase64, simdBase64 } from "./binary.js";
import { kernelImports } from "./imports.js";
import { isRelaxed, type Kernels } from "./kernels.js";
import { probeRelaxedDot, type UsableReading } from "./probe.js";
import { withSharedMemory } from "./shared-memory.js";

/** A kernel binary: bytes, or a module that the runtime compiled (Workers refuse bytes). */
export type KernelsBinary = WebAssembly.Module | ArrayBuffer | ArrayBufferView;

/** The package's binaries: `simd` runs wherever WebAssembly SIMD does, `relaxed` is faster. */
export type Variant = "simd" | "relaxed";

/** Where the probe works: after the kernels' own data, before any planned region. */
const PROBE_PTR = 65536 - 256;

/** A module with one relaxed instruction: () -> v128, i8x16.relaxed_swizzle of zeros. */
const RELAXED_SIMD = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0], // magic, version
  ...[1, 5, 1, 96, 0, 1, 123], // types: () -> v128
  ...[3, 2, 1, 0], // functions: one of type 0
  ...[10, 15, 1, 13, 0], // code: one body of 13 bytes, no locals
  ...[65, 0, 253, 15, 65, 0, 253, 15, 253, 128, 2, 11], // splat, splat, swizzle, end
);

/** The variants; also what `plm bench --variant` takes. */
export const VARIANTS: readonly Variant[] = ["simd", "relaxed"];

/** Kernels over a memory, and the module that they are an instance of. */
export interface LoadedKernels {
  readonly kernels: Kernels;
  readonly module: WebAssembly.Module;
  readonly variant: Variant;
  /** What they were instantiated for, as all others over the memory must be (imports.ts). */
  readonly reading: UsableReading;
}

/** The kernels of the package as wasm bytes. */
export function kernelsBytes(variant: Variant = "simd"): OwnBytes {
  return bytesOfBase64(variant === "simd" ? simdBase64 : relaxedBase64);
}

/** The bytes that a base64 string encodes. */
export function bytesOfBase64(base64: string): OwnBytes {
  const binary = requireGlobal("atob")(base64);
  const bytes = new Uint8Array(binary.length);
  // Not Uint8Array.from, which takes 20 times as long for strings.
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** The options of loadKernels. */
export interface KernelsOptions {
  /** The kernels to use instead of the package's. */
  binary?: KernelsBinary;
  /**
   * Default: the relaxed one where this runtime accepts it and its dot reads u8 or s8, exactly
   * (probe.ts); else simd.
   */
  variant?: Variant;
  /** Address of 256 bytes for the probe; default below the first plannable address. */
  scratchPtr?: number;
}

/**
 * Instantiates the kernels over `memory`, which may be shared. Throws UNSUPPORTED_RUNTIME where the
 * runtime refuses the binary (no SIMD, compiling forbidden) or fails the requested variant's probe.
 */
export async function loadKernels(
  memory: WebAssembly.Memory,
  { binary, variant, scratchPtr = PROBE_PTR }: KernelsOptions = {},
): Promise<LoadedKernels> {
  if (binary !== undefined) return start(memory, binary, scratchPtr);
  const isRefused = variant === undefined && !WebAssembly.validate(RELAXED_SIMD);
  if (variant === "simd" || isRefused) return start(memory, kernelsBytes("simd"), scratchPtr);
  try {
    return await start(memory, kernelsBytes("relaxed"), scratchPtr);
  } catch (error) {
    if (variant !== undefined) throw error;
    return start(memory, kernelsBytes("simd"), scratchPtr);
  }
}

/** Refuses relaxed kernels whose dot does not do what they rely on. */
async function start(
  memory: WebAssembly.Memory,
  binary: KernelsBinary,
  scratchPtr: number,
): Promise<LoadedKernels> {
  const loaded = await instantiateKernels<Kernels>(memory, binary);
  const { kernels, module } = loaded;
  if (!isRelaxed(kernels)) return { ...loaded, variant: "simd", reading: "u8" };
  const reading = probeRelaxedDot(kernels, memory, scratchPtr);
  if (reading === "u8") return { ...loaded, variant: "relaxed", reading };
  if (reading === "s8") {
    const other = await instantiateKernels<Kernels>(memory, module, reading);
    return { ...other, variant: "relaxed", reading };
  }
  throw new PlmError(
    "UNSUPPORTED_RUNTIME",
    "kernels: the relaxed variant expects a relaxed dot that reads u8 or s8, this runtime's is " +
      reading,
  );
}

/** A module as it is, or its bytes, unshared. Throws INVALID_ARGUMENT for anything else. */
export function checkBinary(binary: KernelsBinary): WebAssembly.Module | OwnBytes {
  if (isModule(binary)) return binary;
  const bytes = bytesOf("wasm", binary);
  if (bytes !== undefined) return bytes.slice();
  throw invalidArgument("wasm", "a WebAssembly.Module or its bytes", kindOf(binary));
}

/** Whether the value is a compiled module, of any realm. */
export function isModule(binary: unknown): binary is WebAssembly.Module {
  return brandOf(binary) === "WebAssembly.Module";
}

/**
 * A binary's exports over `memory`, which may be shared, and the module they come from. Throws
 * UNSUPPORTED_RUNTIME where the runtime refuses the binary.
 */
export async function instantiateKernels<Exports>(
  memory: WebAssembly.Memory,
  binary: KernelsBinary,
  reading: UsableReading = "u8",
): Promise<{ kernels: Exports; module: WebAssembly.Module }> {
  const given = checkBinary(binary);
  const loader = importLoader();
  const imports = kernelImports(memory, reading);
  try {
    const module = isModule(given)
      ? given
      : await WebAssembly.compile(bytesFor(memory, given as BufferSource));
    return { kernels: (await exportsOf(module, imports, loader)) as Exports, module };
  } catch (cause) {
    throw refusal(given, cause);
  }
}

/** Not a literal in the import: bundlers would make it a chunk of its own. */
const LOADER: string = "@assemblyscript/loader";

/**
 * AssemblyScript's loader; undefined in bundles and where intrinsics are frozen, because it assigns
 * Object.hasOwn.
 */
async function importLoader(): Promise<typeof import("@assemblyscript/loader") | undefined> {
  try {
    return await import(/* webpackIgnore: true */ /* @vite-ignore */ LOADER);
  } catch {
    return undefined;
  }
}

/**
 * The exports of a new instance, through the loader where there is one that accepts the module: it
 * refuses modules of another realm. The runtime instantiates the module otherwise, which is enough
 * since kernels take and return numbers only.
 *
 * Synchronous, since the loader's other form looks at Response, for which Node first loads its HTTP
 * client; a runtime that forbids it compiles nothing here and is left the other way.
 */
async function exportsOf(
  module: WebAssembly.Module,
  imports: WebAssembly.Imports,
  loader: ReturnType<typeof importLoader>,
): Promise<unknown> {
  try {
    const { instantiateSync } = (await loader)!;
    return instantiateSync<Record<string, unknown>>(module, imports).exports;
  } catch {
    return (await WebAssembly.instantiate(module, imports)).exports;
  }
}

/** Why a binary is not accepted, as far as it can be determined. */
function refusal(binary: KernelsBinary, cause: unknown): PlmError {
  let problem = "expected a binary that this runtime accepts, it refused";
  if (!WebAssembly.validate(kernelsBytes("simd"))) {
    problem = "expected WebAssembly SIMD, this runtime lacks it";
  } else if (!isModule(binary) && WebAssembly.validate(binary)) {
    problem =
      "expected to be allowed to compile WebAssembly, got a refusal (a Content-Security-Policy " +
      "without 'wasm-unsafe-eval'; Workers, where the imported module is passed as `wasm`)";
  }
  const message = `kernels: ${problem}: ${reasonOf(cause)}`;
  return new PlmError("UNSUPPORTED_RUNTIME", message, { cause });
}

function bytesFor(memory: WebAssembly.Memory, binary: BufferSource): BufferSource {
  return isShared(memory) ? withSharedMemory(binary) : binary;
}

function isShared(memory: WebAssembly.Memory): boolean {
  return brandOf(memory.buffer) === "SharedArrayBuffer";
}
