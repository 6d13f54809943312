/** Files behind a URL: by ranges where the server honours them, else from front to back. */
import { PlmError } from "../errors.js";
import type { ByteSource } from "./source.js";
import { abortable, describeCause, ForwardReader, StreamSource } from "./stream-source.js";

/** A gap up to this long is read and dropped, which is quicker than another request. */
const SKIP_BYTES = 256 << 10;

/**
 * Files that take turns: only the one read last keeps its connection. Browsers allow six to a
 * server, and a split file may have more parts.
 */
export class Turns {
  #last: RangeSource | undefined;

  async take(source: RangeSource): Promise<void> {
    const last = this.#last;
    this.#last = source;
    if (last !== undefined && last !== source) await last.disconnect();
  }
}

/** Asks for the file at `url` and returns a source over the answer. */
export async function openUrl(url: URL, turns: Turns, signal?: AbortSignal): Promise<ByteSource> {
  if (url.username !== "" || url.password !== "") {
    // No fetch takes them, and its message would show them.
    const message = `${nameOf(url)}: expected a URL without credentials`;
    throw new PlmError("INVALID_ARGUMENT", message);
  }
  const http = url.protocol === "http:" || url.protocol === "https:";
  const connection = await connect(url, http ? 0 : undefined, signal);
  if (connection === undefined) throw unreadable(url, "the file is empty");
  if (!connection.ranges) return new StreamSource(connection.body, nameOf(url), connection.size);
  const source = new RangeSource(url, connection, turns);
  await turns.take(source);
  return source;
}

/** An answer whose body starts at the byte that was asked for. */
interface Connection {
  body: ReadableStream<Uint8Array>;
  /** Bytes in the file, if known; to be trusted only where the request began at byte 0. */
  size: number | undefined;
  /** Whether the server honoured the range. */
  ranges: boolean;
  /** Changes when the file does; undefined where the server does not tell. */
  stamp: string | undefined;
  /** Ends the request with its body. */
  abort: AbortController;
}

/** Without credentials and query, which messages must not show. */
function nameOf(url: URL): string {
  return url.origin === "null" ? url.protocol : url.origin + url.pathname;
}

/** Requests the bytes from `start` on, or the whole file if undefined; undefined past its end. */
async function connect(
  url: URL,
  start: number | undefined,
  signal?: AbortSignal,
): Promise<Connection | undefined> {
  const abort = new AbortController();
  const headers: HeadersInit = start === undefined ? {} : { Range: `bytes=${start}-` };
  let response: Response;
  try {
    response = await abortable(fetch(url, { headers, signal: abort.signal }), signal);
  } catch (cause) {
    abort.abort();
    signal?.throwIfAborted();
    throw unreadable(url, describeCause(cause), cause);
  }
  try {
    if (response.status !== 416) return checkAnswer(url, response, start, abort);
    abort.abort();
    return undefined;
  } catch (error) {
    abort.abort();
    throw error;
  }
}

function checkAnswer(
  url: URL,
  { status, statusText, headers, body }: Response,
  start: number | undefined,
  abort: AbortController,
): Connection {
  const ranges = status === 206;
  if ((status !== 200 && !ranges) || body === null) {
    throw unreadable(url, `the server answered ${status} ${statusText}`.trimEnd());
  }
  let length = headers.get("Content-Encoding") === null ? headers.get("Content-Length") : null;
  // Scripts may read Content-Range from another origin only if its server says so.
  const contentRange = headers.get("Content-Range");
  if (ranges && contentRange !== null) {
    const [, first, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(contentRange) ?? [];
    if (Number(first) !== start) {
      throw unreadable(url, `asked for the bytes from ${start}, got "${contentRange}"`);
    }
    length = total;
  }
  const size = length === null || length === "" ? Number.NaN : Number(length);
  return {
    body,
    size: Number.isSafeInteger(size) ? size : undefined,
    ranges,
    stamp: headers.get("ETag") ?? headers.get("Last-Modified") ?? undefined,
    abort,
  };
}

function unreadable(url: URL, reason: string, cause?: unknown): PlmError {
  return new PlmError("UNREADABLE_FILE", `${nameOf(url)}: ${reason}`, { cause });
}

/**
 * Reads by range requests that are left open, so that reading on costs no further request. A
 * connection that breaks after it gave something is opened again where it broke.
 */
class RangeSource implements ByteSource {
  readonly name: string;
  readonly size: number | undefined;
  readonly sequential = false;
  readonly #url: URL;
  readonly #stamp: string | undefined;
  readonly #turns: Turns;
  #reader: ForwardReader | undefined;
  #abort: AbortController;

  constructor(url: URL, connection: Connection, turns: Turns) {
    this.#url = url;
    this.name = nameOf(url);
    this.size = connection.size;
    this.#stamp = connection.stamp;
    this.#turns = turns;
    this.#reader = new ForwardReader(connection.body, this.name);
    this.#abort = connection.abort;
  }

  async read(offset: number, target: Uint8Array, signal?: AbortSignal): Promise<number> {
    signal?.throwIfAborted();
    const wanted = Math.max(0, Math.min(target.length, (this.size ?? Infinity) - offset));
    let done = 0;
    while (done < wanted) {
      const previous = this.#reader;
      const reader = await this.#readerAt(offset + done, signal);
      if (reader === undefined) break;
      const before = reader.position;
      const failure = await this.#fill(
        reader,
        offset + done,
        target.subarray(done, wanted),
        signal,
      );
      done = Math.max(done, reader.position - offset);
      if (done === wanted) break;
      await this.disconnect();
      // One left open since the last read may just have timed out.
      if (reader.position > before || reader === previous) continue;
      if (failure !== undefined) throw failure;
      break;
    }
    return done;
  }

  /** Reads what the connection gives; returns the error that ended it, if one did. */
  async #fill(
    reader: ForwardReader,
    offset: number,
    target: Uint8Array,
    signal?: AbortSignal,
  ): Promise<unknown> {
    try {
      await reader.skipTo(offset, signal);
      await reader.read(target, signal);
    } catch (error) {
      signal?.throwIfAborted();
      return error;
    }
    return undefined;
  }

  /** Drops the connection; the next read makes another. */
  async disconnect(): Promise<void> {
    const reader = this.#reader;
    this.#reader = undefined;
    this.#abort.abort();
    await reader?.cancel();
  }

  close(): Promise<void> {
    return this.disconnect();
  }

  async #readerAt(offset: number, signal?: AbortSignal): Promise<ForwardReader | undefined> {
    const gap = offset - (this.#reader?.position ?? -1);
    if (this.#reader !== undefined && gap >= 0 && gap <= SKIP_BYTES) return this.#reader;
    await this.disconnect();
    await this.#turns.take(this);
    const connection = await connect(this.#url, offset, signal);
    if (connection === undefined) return undefined;
    this.#abort = connection.abort;
    const { stamp, ranges } = connection;
    if (!ranges || (stamp ?? this.#stamp) !== (this.#stamp ?? stamp)) {
      connection.abort.abort();
      throw unreadable(this.#url, "the file changed while it was read");
    }
    this.#reader = new ForwardReader(connection.body, this.name, offset);
    return this.#reader;
  }
}
