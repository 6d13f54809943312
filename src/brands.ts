/**
 * What a value is, whichever realm it comes from: a Uint8Array of an iframe, of jsdom or of
 * a vm context is no `instanceof` this realm's class, and is as good.
 */
import { kindOf } from "./describe.js";
import { invalidArgument } from "./errors.js";

/** The name that a value's class gives it, such as "Uint8Array", "Map" or "WebAssembly.Module". */
export function brandOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/**
 * The bytes of an ArrayBuffer, a SharedArrayBuffer or a view of either, not copied; undefined for
 * anything else. Throws INVALID_ARGUMENT, naming the argument, for a buffer that was transferred.
 */
export function bytesOf(name: string, value: unknown): Uint8Array | undefined {
  const isView = ArrayBuffer.isView(value);
  if (!isView && !isBuffer(value)) return undefined;
  try {
    if (!isView) return new Uint8Array(value);
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  } catch (cause) {
    throw invalidArgument(name, "bytes", `${kindOf(value)} that was transferred`, { cause });
  }
}

function isBuffer(value: unknown): value is ArrayBufferLike {
  return ["ArrayBuffer", "SharedArrayBuffer"].includes(brandOf(value));
}

/** Throws INVALID_ARGUMENT for options that are no object. */
export function checkOptions(options: unknown): void {
  if (typeof options === "object" && options !== null) return;
  throw invalidArgument("options", "an object", kindOf(options));
}

/** The signal; undefined where it is left out. Throws INVALID_ARGUMENT for what is none. */
export function checkSignal(signal: unknown): AbortSignal | undefined {
  if (signal === undefined || signal === null) return undefined;
  if (isSignal(signal)) return signal;
  throw invalidArgument("signal", "an AbortSignal", kindOf(signal));
}

/** Whether it is an AbortSignal, or as good as one. */
export function isSignal(value: unknown): value is AbortSignal {
  const { aborted, throwIfAborted, addEventListener } = Object(value) as Partial<AbortSignal>;
  const hasCalls = typeof throwIfAborted === "function" && typeof addEventListener === "function";
  return typeof aborted === "boolean" && hasCalls;
}
