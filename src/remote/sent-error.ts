/** Errors as they cross the border between a program and its worker. */
import { PlmError, type PlmErrorData, reasonOf } from "../errors.js";

/** An error as plain data. */
export interface SentError {
  readonly name: string;
  readonly message: string;
  readonly plm?: PlmErrorData;
  readonly cause?: SentError;
  /** The errors of an AggregateError. */
  readonly errors?: readonly SentError[];
}

/** The deepest chain of causes; one that is its own cause goes deeper. */
const MAX_DEPTH = 8;

export function sendError(error: unknown, depth = 0): SentError {
  const { name, cause, errors } = (error ?? {}) as Partial<AggregateError>;
  const plm = PlmError.from(error)?.toJSON();
  const isDeep = depth === MAX_DEPTH;
  return {
    name: typeof name === "string" ? name : "Error",
    message: reasonOf(error),
    ...(plm !== undefined && { plm }),
    ...(cause !== undefined && !isDeep && { cause: sendError(cause, depth + 1) }),
    ...(Array.isArray(errors) &&
      !isDeep && { errors: errors.map((each) => sendError(each, depth + 1)) }),
  };
}

/** The error that was sent: a PlmError, or an Error of the same name and message. */
export function receiveError({ name, message, plm, cause, errors }: SentError): Error {
  const options = cause === undefined ? {} : { cause: receiveError(cause) };
  if (plm !== undefined) {
    const { code, argument } = plm;
    return new PlmError(code, message, { ...options, ...(argument !== undefined && { argument }) });
  }
  if (errors !== undefined) return new AggregateError(errors.map(receiveError), message, options);
  const error = new Error(message, options);
  error.name = name;
  return error;
}
