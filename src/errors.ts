/**
 * The one error class of the package and its stable codes. Aborted calls are the exception: they
 * reject with the signal's own reason, as fetch does.
 */

/** What went wrong, as a stable code that programs can switch on. */
export type ErrorCode =
  /** An option or argument is of the wrong type or outside its range. */
  | "INVALID_ARGUMENT"
  /** A training config, or what it names, is invalid or does not match the checkpoint. */
  | "INVALID_CONFIG"
  /** The file is damaged: truncated, inconsistent, or not GGUF at all. */
  | "INVALID_FILE"
  /**
   * The file is sound, but asks for what is not supported: another architecture, hyperparameter,
   * tensor, tensor type or tokenizer.
   */
  | "UNSUPPORTED_FILE"
  /** The file could not be opened or read. */
  | "UNREADABLE_FILE"
  /**
   * The file could not be written (a full disk, no permission). What was there is untouched, unless
   * the message says that the file was written but may not survive a power failure.
   */
  | "UNWRITABLE_FILE"
  /** The planned memory is over the limit, or the runtime cannot provide it; no tensor was read. */
  | "OUT_OF_MEMORY"
  /** A token id is not an integer in [0, vocabSize). */
  | "INVALID_TOKEN"
  /** There is nothing to evaluate: the prompt has no token. */
  | "EMPTY_PROMPT"
  /** The context has no room for the tokens; the session is as it was before the call. */
  | "CONTEXT_FULL"
  /**
   * The sessions together need more of the cache than was planned: dispose of one, or load the
   * model with larger `cacheTokens`. The session is as it was before the call.
   */
  | "CACHE_FULL"
  /** The session is already evaluating; it takes one call at a time. */
  | "SESSION_BUSY"
  /**
   * A thread ended or hangs. The session is as it was before the call; the model goes on with one
   * thread as soon as the others are known to have ended, and throws this until then.
   */
  | "THREAD_LOST"
  /** The worker of a model ended or failed; the model is over, and must be loaded again. */
  | "WORKER_LOST"
  /** The store of sessions, such as Redis, does not answer, or refuses; it may later. */
  | "STORE_UNAVAILABLE"
  /** The store of sessions has no room for one; what it held of it is untouched. */
  | "STORE_FULL"
  /** Redis does not answer, refuses the connection or stays full; what it holds is untouched. */
  | "REDIS_LOST"
  /** The loss or its gradients are no longer finite; the message names the step. */
  | "TRAINING_DIVERGED"
  /** The model or session was disposed of. */
  | "DISPOSED"
  /** This runtime lacks something the package needs (WebAssembly SIMD, file access, ...). */
  | "UNSUPPORTED_RUNTIME";

/** A PlmError as plain data, as `toJSON` returns it. */
export interface PlmErrorData {
  readonly name: "PlmError";
  readonly code: ErrorCode;
  readonly message: string;
  readonly argument?: string;
}

/** How a PlmError's stack begins: the only trace of its code that a structured clone keeps. */
const STACK_HEADER = /^PlmError \[([A-Z_]+)\](?=:|\n|$)/;

/**
 * Every error that the package throws on purpose. The message says which argument or file, what
 * was expected and what came.
 *
 * `code` does not survive postMessage by itself: a structured clone drops an error's own fields.
 * `PlmError.from(received)` restores it: always if `error.toJSON()` was sent; if the error itself
 * was sent, where the runtime clones its stack (Node, Deno, Bun, Chromium; not Firefox).
 */
export class PlmError extends Error {
  override readonly name: string = "PlmError";
  readonly code: ErrorCode;
  /** The option or argument at fault, whose name begins the message; undefined for other errors. */
  readonly argument: string | undefined;

  constructor(code: ErrorCode, message: string, options: PlmErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.argument = options.argument;
    // Only V8's stacks begin with the error. Frozen intrinsics may refuse the property.
    const value = this.stack?.replace(/^(Plm)?Error(?=:|\n|$)/, `PlmError [${code}]`);
    if (value) Reflect.defineProperty(this, "stack", { value, writable: true, configurable: true });
  }

  /** The error as plain data, for JSON and postMessage. */
  toJSON(): PlmErrorData {
    const { code, message, argument } = this;
    return { name: "PlmError", code, message, ...(argument !== undefined && { argument }) };
  }

  /**
   * The PlmError that `value` is or was: an error of this package, of another copy of it or of
   * another realm; the result of `toJSON`; a structured clone with its stack. Else undefined.
   */
  static from(value: unknown): PlmError | undefined {
    if (value instanceof PlmError) return value;
    if (typeof value !== "object" || value === null) return undefined;
    const { name, code, message, stack, cause, argument } = value as Partial<PlmError>;
    const ownCode = name === "PlmError" ? code : undefined;
    const found = ownCode ?? STACK_HEADER.exec(String(stack))?.[1];
    if (typeof found !== "string" || typeof message !== "string") return undefined;
    const error = new PlmError(found as ErrorCode, message, {
      ...(cause !== undefined && { cause }),
      ...(typeof argument === "string" && { argument }),
    });
    if (typeof stack === "string") Reflect.defineProperty(error, "stack", { value: stack });
    return error;
  }
}

/** Why something failed: the message of an error of any realm; any other value as text. */
export function reasonOf(cause: unknown): string {
  const message = (cause as Partial<Error> | null | undefined)?.message;
  return typeof message === "string" ? message : String(cause);
}

/**
 * The error of an option or argument that is not as it must be; `at` is the part of it that is at
 * fault, such as "[3].role".
 */
export function invalidArgument(
  argument: string,
  expected: string,
  got: string,
  { at = "", cause }: { at?: string; cause?: unknown } = {},
): PlmError {
  const message = `${argument}${at}: expected ${expected}, got ${got}`;
  return new PlmError("INVALID_ARGUMENT", message, {
    argument,
    ...(cause !== undefined && { cause }),
  });
}

/** What an error may be given. */
export interface PlmErrorOptions {
  cause?: unknown;
  argument?: string;
}

/** A text in a message: quoted, control characters escaped, cut to a suitable length. */
export function quote(text: string): string {
  const quoted = JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text);
  // JSON leaves U+007F to U+009F as they are, and terminals obey them.
  return quoted.replace(/\p{Cc}/gu, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);
}
