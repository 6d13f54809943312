/** Files behind a URL: by ranges where the server honours them, else from front to back. */
import { PlmError } from "../errors.js";
import type { ByteSource } from "../format/byte-source.js";
import { type HttpClient, nameOf } from "./http-client.js";
import { type Connection, connect, unreadable } from "./http-connection.js";
import { isSameFile, type Validators } from "./http-fields.js";
import { Retries } from "./http-retries.js";
import { ForwardReader, StreamSource } from "./stream-source.js";

/** A gap up to this long is read and dropped: that is faster than another request. */
const SKIP_BYTES = 256 << 10;

/**
 * Files that take turns: only the file read last keeps its connection. Browsers allow six per
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

/** Requests the file at `url` and returns a source over the answer. */
export async function openUrl(
  url: URL,
  turns: Turns,
  client: HttpClient,
  signal?: AbortSignal,
): Promise<ByteSource> {
  if (url.username !== "" || url.password !== "") {
    // fetch refuses credentials, and its message would show them.
    const message = `${nameOf(url)}: expected a URL without credentials`;
    throw new PlmError("INVALID_ARGUMENT", message);
  }
  const isHttp = url.protocol === "http:" || url.protocol === "https:";
  let connection = await open(client, url, isHttp ? 0 : undefined, signal);
  if (connection.ranges && connection.isCoded) {
    connection.abort();
    connection = await open(client, url, undefined, signal);
  }
  if (!connection.ranges) {
    return new StreamSource(connection.body, nameOf(url), connection.validators.size);
  }
  const source = new RangeSource(url, client, connection, turns);
  await turns.take(source);
  return source;
}

/** The first connection. Waits for a busy server, but not for one that does not answer. */
async function open(
  client: HttpClient,
  url: URL,
  start: number | undefined,
  signal: AbortSignal | undefined,
): Promise<Connection> {
  const retries = new Retries(client.environment);
  for (;;) {
    const answer = await connect(client, url, start, signal);
    if (answer.kind === "body") return answer;
    if (answer.kind === "end") throw unreadable(nameOf(url), "the file is empty");
    if (!answer.isAnswered) throw answer.failure.error;
    await retries.pauseAfter(answer.failure, signal);
  }
}

/**
 * Reads by range requests that stay open, so that reading on costs no further request. A broken
 * connection is opened again where it broke, after a pause unless it gave some bytes.
 */
class RangeSource implements ByteSource {
  readonly name: string;
  readonly size: number | undefined;
  readonly sequential = false;
  readonly #url: URL;
  readonly #client: HttpClient;
  readonly #validators: Validators;
  readonly #turns: Turns;
  readonly #retries: Retries;
  #connection: Connection | undefined;
  #reader: ForwardReader | undefined;

  constructor(url: URL, client: HttpClient, connection: Connection, turns: Turns) {
    this.#url = url;
    this.#client = client;
    this.name = nameOf(url);
    this.size = connection.validators.size;
    this.#validators = connection.validators;
    this.#turns = turns;
    this.#retries = new Retries(client.environment);
    this.#adopt(connection);
  }

  async read(offset: number, target: Uint8Array, signal?: AbortSignal): Promise<number> {
    signal?.throwIfAborted();
    const wanted = Math.max(0, Math.min(target.length, (this.size ?? Infinity) - offset));
    let done = 0;
    while (done < wanted) {
      const previous = this.#reader;
      const reader = await this.#readerAt(offset + done, signal);
      if (reader === undefined) break;
      const rest = target.subarray(done, wanted);
      const failure = await this.#fill(reader, offset + done, rest, signal);
      const before = done;
      done = Math.max(done, reader.position - offset);
      if (done > before) this.#retries.succeeded();
      if (done === wanted) break;
      await this.disconnect();
      // A connection left open since the last read may have timed out.
      if (done > before || reader === previous) continue;
      if (failure === undefined) break;
      await this.#retries.pauseAfter({ error: failure, retryAfterMs: undefined }, signal);
    }
    return done;
  }

  /** Reads what the connection gives; returns the error that ended it, if any. */
  async #fill(
    reader: ForwardReader,
    offset: number,
    target: Uint8Array,
    signal?: AbortSignal,
  ): Promise<PlmError | undefined> {
    try {
      await reader.skipTo(offset, signal);
      await reader.read(target, signal);
    } catch (error) {
      signal?.throwIfAborted();
      if ((error as PlmError).code !== "UNREADABLE_FILE") throw error;
      return error as PlmError;
    }
    return undefined;
  }

  /** Drops the connection; the next read makes another. */
  async disconnect(): Promise<void> {
    const [reader, connection] = [this.#reader, this.#connection];
    this.#reader = undefined;
    this.#connection = undefined;
    connection?.abort();
    await reader?.cancel();
  }

  close(): Promise<void> {
    return this.disconnect();
  }

  #adopt(connection: Connection): ForwardReader {
    this.#connection = connection;
    this.#reader = new ForwardReader(connection.body, this.name, connection.first);
    return this.#reader;
  }

  /** A reader at or shortly before `offset`; undefined if the file ends there. */
  async #readerAt(offset: number, signal?: AbortSignal): Promise<ForwardReader | undefined> {
    const gap = offset - (this.#reader?.position ?? -1);
    if (this.#reader !== undefined && gap >= 0 && gap <= SKIP_BYTES) return this.#reader;
    await this.disconnect();
    await this.#turns.take(this);
    for (;;) {
      const answer = await connect(this.#client, this.#url, offset, signal);
      if (answer.kind === "body") return this.#adopt(this.#checkSame(answer));
      if (answer.kind === "end") {
        if ((this.size ?? answer.size ?? offset) > offset) throw this.#changed();
        return undefined;
      }
      await this.#retries.pauseAfter(answer.failure, signal);
    }
  }

  /**
   * The connection, if it has the same file. A whole file instead of a range is read up to the
   * range, provided it is known to be the same.
   */
  #checkSame(connection: Connection): Connection {
    const { ranges, isCoded, validators } = connection;
    const nowMs = this.#client.environment.now();
    const isSame = isSameFile(this.#validators, validators, nowMs);
    if (isSame !== false && (ranges ? !isCoded : isSame)) return connection;
    connection.abort();
    if (isSame === false) throw this.#changed();
    const got = ranges ? "a coded one" : "the whole file";
    throw unreadable(this.name, `expected a range as before, the server answered with ${got}`);
  }

  #changed(): PlmError {
    return unreadable(this.name, "the file changed while it was read");
  }
}
