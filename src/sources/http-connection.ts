/** One request for a file from some byte on, and what its answer says about the bytes. */
import { abortable } from "../abortable.js";
import { inTime } from "../clock.js";
import { PlmError, quote } from "../errors.js";
import { parseUrl } from "../globals.js";
import { type ChunkSource, discard } from "./chunk-reader.js";
import { describeCause } from "./describe-cause.js";
import { type HttpClient, nameOf } from "./http-client.js";
import {
  contentCodings,
  contentLength,
  mediaType,
  parseContentRange,
  retryAfterMs,
  type Validators,
  validatorsOf,
} from "./http-fields.js";
import { type Failure, isTransient } from "./http-retries.js";
import type { ResponseLike } from "./model-source.js";

/** An answer with bytes of the file. */
export interface Connection {
  readonly kind: "body";
  readonly body: ChunkSource;
  /** Where in the file the body begins. */
  readonly first: number;
  /** Whether the server honoured the range. */
  readonly ranges: boolean;
  /** Whether the body was decoded: ranges would count encoded bytes. */
  readonly isCoded: boolean;
  readonly validators: Validators;
  /** Ends the request and its body. */
  abort(): void;
}

/** The outcome of a request. */
export type Answer =
  | Connection
  /** There is no byte at or after the requested one. */
  | { readonly kind: "end"; readonly size: number | undefined }
  /** No answer, or one after which another try may succeed. */
  | { readonly kind: "failure"; readonly failure: Failure; readonly isAnswered: boolean };

/** An UNREADABLE_FILE. */
export function unreadable(name: string, reason: string, cause?: unknown): PlmError {
  return new PlmError("UNREADABLE_FILE", `${name}: ${reason}`, { cause });
}

/** Throws UNREADABLE_FILE unless the response carries a file, whole or in part. */
export function checkAnswer(response: ResponseLike, name: string): void {
  const { status, statusText = "" } = response;
  if (status !== 200 && status !== 206) {
    const advice = status === 401 || status === 403 ? "; does it ask for `headers`?" : "";
    throw unreadable(name, `the server answered ${status} ${statusText}`.trimEnd() + advice);
  }
  const type = mediaType(response.headers);
  if (type === "text/html" || type === "application/xhtml+xml") {
    const place = placeOf(response, name);
    throw unreadable(name, `expected a file, got a web page (${type})${place}; a login or a 404?`);
  }
  if (response.body === null) throw unreadable(name, "the server answered without a body");
}

/** The target of redirects, for messages. */
function placeOf(response: ResponseLike, name: string): string {
  try {
    const place = nameOf(parseUrl(response.url));
    return place === name ? "" : ` from ${place}`;
  } catch {
    return "";
  }
}

/** Bytes of a file from `start` on: all, or those before `end`. */
export interface RequestedRange {
  readonly start: number;
  readonly end?: number;
}

/**
 * Requests a range, or the whole file if undefined. Throws UNREADABLE_FILE for an
 * answer that another try would not change, INVALID_ARGUMENT, UNSUPPORTED_RUNTIME and the signal's
 * reason.
 */
export async function connect(
  client: HttpClient,
  url: URL,
  range: RequestedRange | undefined,
  signal?: AbortSignal,
): Promise<Answer> {
  const abort = createAbort();
  const start = range?.start;
  const last = range?.end === undefined ? "" : range.end - 1;
  // Ranges of encoded bytes would be useless.
  const headers: Record<string, string> =
    range === undefined ? {} : { range: `bytes=${start}-${last}`, "accept-encoding": "identity" };
  const pending = client.get(url, headers, abort?.signal);
  let response: ResponseLike;
  try {
    response = await inTime(abortable(pending, signal), client.environment.patienceMs);
  } catch (cause) {
    abort?.abort();
    void pending.then(({ body }) => discard(body)).catch(() => {});
    signal?.throwIfAborted();
    if (PlmError.from(cause) !== undefined) throw cause;
    const error = unreadable(nameOf(url), describeCause(cause), cause);
    return { kind: "failure", failure: { error, retryAfterMs: undefined }, isAnswered: false };
  }
  const end = (): void => {
    discard(response.body);
    abort?.abort();
  };
  try {
    const answer = readAnswer(response, nameOf(url), {
      start,
      end,
      nowMs: client.environment.now(),
    });
    if (answer.kind !== "body") end();
    return answer;
  } catch (error) {
    end();
    throw error;
  }
}

/** Undefined if there is none, or if fetch does not take it: jsdom has a class of its own. */
function createAbort(): AbortController | undefined {
  try {
    const abort = new globalThis.AbortController();
    if (globalThis.Request !== undefined) {
      new Request("http://localhost/", { signal: abort.signal });
    }
    return abort;
  } catch {
    return undefined;
  }
}

interface Asked {
  readonly start: number | undefined;
  readonly end: () => void;
  readonly nowMs: number;
}

function readAnswer(response: ResponseLike, name: string, { start, end, nowMs }: Asked): Answer {
  const { status, headers } = response;
  const contentRange = headers.get("Content-Range");
  if (status === 416) {
    return { kind: "end", size: parseContentRange(contentRange ?? "")?.total };
  }
  if (isTransient(status)) {
    const error = unreadable(
      name,
      `the server answered ${status} ${response.statusText}`.trimEnd(),
    );
    const failure = { error, retryAfterMs: retryAfterMs(headers, nowMs) };
    return { kind: "failure", failure, isAnswered: true };
  }
  checkAnswer(response, name);
  const ranges = status === 206;
  const place = ranges ? checkRange(headers, name, start ?? 0) : { first: 0, size: undefined };
  const size = place.size ?? (ranges && start !== 0 ? undefined : contentLength(headers));
  return {
    kind: "body",
    body: response.body!,
    first: place.first,
    ranges,
    isCoded: contentCodings(headers).length > 0,
    validators: validatorsOf(headers, size),
    abort: end,
  };
}

/** Where the body of a 206 begins, and the file's size if the server gives it. */
function checkRange(
  headers: ResponseLike["headers"],
  name: string,
  start: number,
): { first: number; size: number | undefined } {
  if (mediaType(headers) === "multipart/byteranges") {
    throw unreadable(name, "expected one range, the server answered with several (multipart)");
  }
  const value = headers.get("Content-Range");
  // Scripts may read it from another origin only if the server allows it.
  if (value === null) return { first: start, size: undefined };
  const range = parseContentRange(value);
  if (range?.first === undefined || range.first > start || range.last! < start) {
    throw unreadable(name, `expected the bytes from ${start}, got ${quote(value)}`);
  }
  return { first: range.first, size: range.total };
}
