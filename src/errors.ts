/**
 * The one error class of the package and its stable codes. Aborted calls are the exception: they
 * reject with the signal's own reason, as fetch does.
 */

/** What went wrong, as a stable code that programs may switch on. */
export type ErrorCode =
  /** An option or argument is of the wrong type or outside its range. */
  | "INVALID_ARGUMENT"
  /** A training config, or what it names, is not as it must be, or not that of the checkpoint. */
  | "INVALID_CONFIG"
  /** The file is damaged: truncated, inconsistent, or not GGUF at all. */
  | "INVALID_FILE"
  /** The file is sound, but of an architecture, tensor type or tokenizer that is not supported. */
  | "UNSUPPORTED_FILE"
  /** The file could not be opened or read. */
  | "UNREADABLE_FILE"
  /**
   * The file could not be written (a full disk, no permission); what was there is untouched, unless
   * the message says that the file was written, but may not outlast a power failure.
   */
  | "UNWRITABLE_FILE"
  /** The planned memory is over the limit, or the runtime has not got it; no tensor was read. */
  | "OUT_OF_MEMORY"
  /** A token id is not an integer in [0, vocabSize). */
  | "INVALID_TOKEN"
  /** There is nothing to evaluate: the prompt has no token. */
  | "EMPTY_PROMPT"
  /** The context has no room for the tokens; the session is as it was before the call. */
  | "CONTEXT_FULL"
  /** Every planned session is in use; load the model with a larger `sessions`. */
  | "SESSION_LIMIT"
  /** The session is evaluating already; one call at a time. */
  | "SESSION_BUSY"
  /** A thread ended or hangs: the model is of no use any more; load it again. */
  | "THREAD_LOST"
  /** The loss or its gradients are not finite any more; the message names the step. */
  | "TRAINING_DIVERGED"
  /** The model or session was disposed of. */
  | "DISPOSED"
  /** This runtime lacks something the package needs (WebAssembly SIMD, file access, ...). */
  | "UNSUPPORTED_RUNTIME";

/**
 * Every error that the package throws on purpose. The message says which, what was expected, what
 * came.
 */
export class PlmError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "PlmError";
    this.code = code;
  }
}

/** A text in a message: quoted, control characters escaped, cut to a length that suits. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text);
}
