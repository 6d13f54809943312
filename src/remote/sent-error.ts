/** Errors as they cross the border between a program and its worker. */
import { PlmError, type PlmErrorData, reasonOf } from "../errors.js";

/** An error as plain data. */
export interface SentError {
  readonly name: string;
  readonly message: string;
  /** A system error's, such as "ENOENT". */
  readonly code?: string;
  readonly plm?: PlmErrorData;
  readonly cause?: SentError;
  /** The errors of an AggregateError. */
  readonly errors?: readonly SentError[];
  /** Where the program has the error itself: the caller's source threw it. */
  readonly thrown?: number;
}

/** The deepest chain of causes; one that is its own cause goes deeper. */
const MAX_DEPTH = 8;

/** Errors of the program that came to the worker and may go back. */
const thrownIndices = new WeakMap<object, number>();

export function sendError(error: unknown, depth = 0): SentError {
  const { name, code, cause, errors } = (error ?? {}) as Partial<AggregateError> & {
    code?: unknown;
  };
  const plm = PlmError.from(error)?.toJSON();
  const thrown = thrownIndices.get(Object(error));
  const isDeep = depth === MAX_DEPTH;
  return {
    name: typeof name === "string" ? name : "Error",
    message: reasonOf(error),
    ...(typeof code === "string" && { code }),
    ...(plm !== undefined && { plm }),
    ...(thrown !== undefined && { thrown }),
    ...(cause !== undefined && !isDeep && { cause: sendError(cause, depth + 1) }),
    ...(Array.isArray(errors) &&
      !isDeep && { errors: errors.map((each) => sendError(each, depth + 1)) }),
  };
}

/**
 * The error that was sent: a PlmError, or an Error of the same name, message and code; or, where
 * `thrown` has it, the very one.
 */
export function receiveError(sent: SentError, thrown: readonly unknown[] = []): unknown {
  const { thrown: index } = sent;
  if (index !== undefined && index in thrown) return thrown[index];
  const error = errorOf(sent, thrown);
  if (index !== undefined) thrownIndices.set(error, index);
  return error;
}

function errorOf(sent: SentError, thrown: readonly unknown[]): Error {
  const { name, message, code, plm, cause, errors } = sent;
  const options = cause === undefined ? {} : { cause: receiveError(cause, thrown) };
  if (plm !== undefined) {
    const { argument } = plm;
    const own = argument !== undefined && { argument };
    return new PlmError(plm.code, message, { ...options, ...own });
  }
  if (errors !== undefined) {
    return new AggregateError(
      errors.map((each) => receiveError(each, thrown)),
      message,
      options,
    );
  }
  return Object.assign(new Error(message, options), { name }, code !== undefined && { code });
}
