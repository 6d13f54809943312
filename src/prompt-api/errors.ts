/** Errors by the names that the Prompt API has for them. */
import { PlmError, reasonOf } from "../errors.js";

/** What a DOMException tells besides its name and message. */
interface Details {
  readonly cause?: unknown;
  readonly requested?: number;
  readonly quota?: number;
}

/** A DOMException; an Error of that name where there are none. */
export function domException(name: string, message: string, details: Details = {}): Error {
  const { DOMException } = globalThis;
  const error: Error =
    DOMException === undefined ? new Error(message) : new DOMException(message, name);
  for (const [key, value] of Object.entries({ name, ...details })) {
    if (error[key as "name"] === value) continue;
    Object.defineProperty(error, key, { value, configurable: true, writable: true });
  }
  return error;
}

/** The error of messages that do not fit. */
export function quotaExceeded(requested: number, quota: number): Error {
  const message = `expected at most ${quota} tokens, got ${requested}`;
  return domException("QuotaExceededError", message, { requested, quota });
}

/** What a call rejects with: an abort's reason and errors of the platform as they are. */
export function exceptionOf(error: unknown): unknown {
  const plm = PlmError.from(error);
  if (plm === undefined) return error;
  return domException(nameOf(plm), plm.message, { cause: error });
}

/** What creating a session rejects with when its model cannot be loaded. */
export function creationExceptionOf(error: unknown): unknown {
  if ((error as Partial<Error> | null)?.name === "AbortError") return error;
  const isUnread = PlmError.from(error)?.code === "UNREADABLE_FILE";
  const name = isUnread ? "NetworkError" : "OperationError";
  return domException(name, reasonOf(error), { cause: error });
}

function nameOf({ code, argument }: PlmError): string {
  switch (code) {
    case "CONTEXT_FULL":
    case "CACHE_FULL":
      return "QuotaExceededError";
    case "DISPOSED":
      return "InvalidStateError";
    case "INVALID_ARGUMENT":
      return argument === "responseFormat" || argument === "tools"
        ? "NotSupportedError"
        : "UnknownError";
    default:
      return "UnknownError";
  }
}
