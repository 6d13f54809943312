/** Answers that are errors: their status, and what clients switch on. */
import { type ErrorCode, PlmError } from "../errors.js";

/** The types of errors, as in OpenAI's API. */
export type ErrorType =
  | "invalid_request_error"
  | "authentication_error"
  | "not_found_error"
  | "rate_limit_error"
  | "unavailable_error"
  | "server_error";

/** What an error says besides its message. */
interface ErrorDetails {
  /** The field at fault. */
  readonly param?: string | undefined;
  readonly code?: string | undefined;
  /** Seconds after which the request may succeed. */
  readonly retryAfter?: number;
  /** The methods that the route has. */
  readonly allow?: string;
  /** What it is due to, for the log. */
  readonly cause?: unknown;
}

const TYPES: Readonly<Record<number, ErrorType>> = {
  401: "authentication_error",
  404: "not_found_error",
  429: "rate_limit_error",
  500: "server_error",
  503: "unavailable_error",
};

/** A request that is answered with an error. */
export class HttpError extends Error {
  override readonly name: string = "HttpError";
  readonly status: number;
  readonly details: ErrorDetails;

  constructor(status: number, message: string, details: ErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.status = status;
    this.details = details;
  }

  get type(): ErrorType {
    return TYPES[this.status] ?? "invalid_request_error";
  }

  /** The error in OpenAI's shape. */
  toBody(): object {
    const { param = null, code = null } = this.details;
    return { error: { message: this.message, type: this.type, param, code } };
  }
}

/** The error of a field that is not as it must be. */
export function badField(name: string, expected: string, got: string): HttpError {
  const message = `${name}: expected ${expected}, got ${got}`;
  return new HttpError(400, message, { param: name, code: "invalid_value" });
}

/** Statuses of the package's errors that are not the request's fault, and what they may say. */
const FAULTS: Partial<Record<ErrorCode, readonly [status: number, message: string]>> = {
  CACHE_FULL: [503, "the cache is full: expected room for the request, try again later"],
  OUT_OF_MEMORY: [503, "out of memory: try again later"],
  SESSION_BUSY: [503, "busy: try again later"],
  THREAD_LOST: [503, "a thread of the engine ended: try again later"],
  WORKER_LOST: [500, "the engine ended: the model must be loaded again"],
  DISPOSED: [503, "the model is no longer loaded"],
};

/**
 * What anything thrown is answered with. `names` has the request's names of the library's options.
 * Only errors of the request itself say what they were: others may name paths.
 */
export function toHttpError(error: unknown, names: ReadonlyMap<string, string>): HttpError {
  if (error instanceof HttpError) return error;
  const known = PlmError.from(error);
  if (known === undefined) return new HttpError(500, "internal error");
  const { code } = known;
  if (code === "CONTEXT_FULL") {
    return new HttpError(400, known.message, { code: "context_length_exceeded" });
  }
  if (code === "INVALID_ARGUMENT" || code === "INVALID_TOKEN" || code === "EMPTY_PROMPT") {
    const param = known.argument === undefined ? undefined : nameOf(known.argument, names);
    return new HttpError(400, describe(known, names), { param, code: code.toLowerCase() });
  }
  const [status, message] = FAULTS[code] ?? [500, "internal error"];
  return new HttpError(status, message, status === 503 ? { retryAfter: 1 } : {});
}

/** The message, or those of several errors, with the request's names. */
function describe(error: PlmError, names: ReadonlyMap<string, string>): string {
  const { errors } = Object(error.cause) as { errors?: unknown };
  if (Array.isArray(errors)) {
    return errors.map((each) => describe(PlmError.from(each) ?? error, names)).join("; ");
  }
  const { argument, message } = error;
  if (argument === undefined || !message.startsWith(argument)) return message;
  return nameOf(argument, names) + message.slice(argument.length);
}

function nameOf(argument: string, names: ReadonlyMap<string, string>): string {
  return names.get(argument) ?? argument;
}
