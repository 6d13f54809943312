/**
 * What a value is, in any realm: a Uint8Array of an iframe, of jsdom or of a vm context is as good
 * as one of this realm, though `instanceof` fails.
 */
import { PlmError } from "./errors.js";

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
    const message = `${name}: expected bytes, got ${kindOf(value)} that was transferred`;
    throw new PlmError("INVALID_ARGUMENT", message, { cause });
  }
}

function isBuffer(value: unknown): value is ArrayBufferLike {
  return ["ArrayBuffer", "SharedArrayBuffer"].includes(brandOf(value));
}

/** A value in a message, as an error's "got": its type or class, never its contents. */
export function kindOf(value: unknown): string {
  if (typeof value === "string") return "a string";
  if (value === null) return "null";
  if (typeof value !== "object") return typeof value;
  if (typeof (value as Partial<PromiseLike<unknown>>).then === "function") {
    return "a Promise; await it";
  }
  const name = (value as Partial<object>).constructor?.name || brandOf(value);
  return `an object of class ${name}`;
}

/** Throws INVALID_ARGUMENT for options that are not an object. */
export function checkOptions(options: unknown): void {
  if (typeof options === "object" && options !== null) return;
  throw new PlmError("INVALID_ARGUMENT", `options: expected an object, got ${kindOf(options)}`);
}

/** The signal, or undefined if left out. Throws INVALID_ARGUMENT for anything else. */
export function checkSignal(signal: unknown): AbortSignal | undefined {
  if (signal === undefined || signal === null) return undefined;
  const { aborted, throwIfAborted, addEventListener } = signal as Partial<AbortSignal>;
  const hasCalls = typeof throwIfAborted === "function" && typeof addEventListener === "function";
  if (typeof aborted === "boolean" && hasCalls) return signal as AbortSignal;
  const message = `signal: expected an AbortSignal, got ${kindOf(signal)}`;
  throw new PlmError("INVALID_ARGUMENT", message, { argument: "signal" });
}
