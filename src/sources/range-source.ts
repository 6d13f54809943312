/** A file behind a URL whose server honours ranges. */
import type { PlmError } from "../errors.js";
import type { ByteSource } from "../format/byte-source.js";
import { type HttpClient, nameOf } from "./http-client.js";
import { type Connection, connect, unreadable } from "./http-connection.js";
import { isSameFile, type Validators } from "./http-fields.js";
import { Retries } from "./http-retries.js";
import { StallWatch } from "./stall-watch.js";
import { ForwardReader } from "./stream-source.js";

/** A gap up to this long is read and dropped: that is faster than another request. */
const SKIP_BYTES = 256 << 10;

/** What a source over a URL is made of. */
export interface RangeParts {
  readonly url: URL;
  readonly client: HttpClient;
  /** Those of the first answer. */
  readonly validators: Validators;
  /** Called before a connection is made. */
  readonly onConnect: () => Promise<void>;
  /**
   * Whether a request ends where the read does. Else it stays open, so that reading on costs no
   * further request.
   */
  readonly isBounded: boolean;
}

/**
 * Reads by range requests. A broken connection is opened again where it broke, after a pause unless
 * it gave some bytes.
 */
export class RangeSource implements ByteSource {
  readonly name: string;
  readonly size: number | undefined;
  readonly sequential = false;
  readonly isRemote = true;
  readonly #parts: RangeParts;
  readonly #retries: Retries;
  #connection: Connection | undefined;
  #reader: ForwardReader | undefined;

  /** With the first connection, if it is at hand. */
  constructor(parts: RangeParts, connection?: Connection) {
    this.#parts = parts;
    this.name = nameOf(parts.url);
    this.size = parts.validators.size;
    this.#retries = new Retries(parts.client.environment);
    if (connection !== undefined) this.#adopt(connection);
  }

  async read(offset: number, target: Uint8Array, signal?: AbortSignal): Promise<number> {
    signal?.throwIfAborted();
    const wanted = Math.max(0, Math.min(target.length, (this.size ?? Infinity) - offset));
    let done = 0;
    while (done < wanted) {
      const previous = this.#reader;
      const reader = await this.#readerAt(offset + done, offset + wanted, signal);
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
    const { patienceMs } = this.#parts.client.environment;
    const late = unreadable(this.name, `no more bytes came in ${patienceMs / 1000} seconds`);
    const watch = new StallWatch(() => reader.position, patienceMs, late, signal);
    try {
      await reader.skipTo(offset, watch.signal);
      await reader.read(target, watch.signal);
    } catch (error) {
      signal?.throwIfAborted();
      if ((error as PlmError).code !== "UNREADABLE_FILE") throw error;
      return error as PlmError;
    } finally {
      watch.end();
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
    const { body, first } = connection;
    const { hasOwnBodies } = this.#parts.client;
    this.#reader = new ForwardReader(body, this.name, first, hasOwnBodies);
    return this.#reader;
  }

  /** A reader at or shortly before `offset`; undefined if the file ends there. */
  async #readerAt(
    offset: number,
    end: number,
    signal?: AbortSignal,
  ): Promise<ForwardReader | undefined> {
    const { url, client, onConnect, isBounded } = this.#parts;
    const gap = offset - (this.#reader?.position ?? -1);
    if (this.#reader !== undefined && gap >= 0 && gap <= SKIP_BYTES) return this.#reader;
    await this.disconnect();
    await onConnect();
    const range = { start: offset, ...(isBounded && { end }) };
    for (;;) {
      const answer = await connect(client, url, range, signal);
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
    const nowMs = this.#parts.client.environment.now();
    const isSame = isSameFile(this.#parts.validators, validators, nowMs);
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
