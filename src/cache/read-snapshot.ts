/** Reads saved sessions from front to back, never the whole at once. */
import { describeValue } from "../describe.js";
import { PlmError } from "../errors.js";
import type { ByteSource } from "../format/byte-source.js";
import {
  CRC_BYTES,
  checkCrc,
  decodeHeader,
  decodePrefix,
  invalidFrame,
  PREFIX_BYTES,
} from "../format/frame.js";
import { requireGlobal } from "../globals.js";
import { PAGE_ROWS } from "../kernels/packed.js";
import {
  messagesBytes,
  pageSize,
  parseSnapshotHeader,
  placeOf,
  SNAPSHOT,
  type SnapshotHeader,
} from "./snapshot.js";

/** The model that is to continue a session. */
export interface SnapshotModel {
  readonly fingerprint: string;
  readonly cacheType: string;
  readonly rowBytes: number;
  readonly layers: number;
  readonly vocabSize: number;
  readonly contextLength: number;
}

/** A saved session without its rows, checked against the model. */
export interface Snapshot {
  readonly header: SnapshotHeader;
  readonly tokens: Uint32Array;
  readonly messages: string | undefined;
  /** Where the pages start in the file. */
  readonly pagesOffset: number;
}

/** The rows of one page of one layer. */
export interface SnapshotPage {
  readonly layer: number;
  readonly index: number;
  /** Valid until the next page is requested. */
  readonly bytes: Uint8Array;
}

/** The most bytes of a header, many times the usual number. */
const MOST_HEADER_BYTES = 1 << 16;
/** The most bytes of one read of pages, unless a single page is larger. */
const READ_BYTES = 4 << 20;

/** How many tokens a saved session has, and whether messages. Throws as `readSnapshot`. */
export async function peekSnapshot(
  source: ByteSource,
): Promise<{ length: number; hasMessages: boolean }> {
  const header = await readHeader(new Reader(source, undefined));
  return { length: header.length, hasMessages: messagesBytes(header) !== undefined };
}

/**
 * Reads the sections before a session's pages. Throws INVALID_FILE for a file that is damaged or
 * not a saved session, UNSUPPORTED_FILE for another version, model or cache, CONTEXT_FULL for a
 * session that is longer than the context. An abort rejects with its reason.
 */
export async function readSnapshot(
  source: ByteSource,
  model: SnapshotModel,
  signal?: AbortSignal,
): Promise<Snapshot> {
  const reader = new Reader(source, signal);
  const header = await readHeader(reader);
  checkSnapshot(header, model);
  const tokens = await readTokens(reader, header, model.vocabSize);
  const messages = await readMessages(reader, header);
  return { header, tokens, messages, pagesOffset: reader.offset };
}

/**
 * The pages of a session, each with its checksum checked: all layers of one index, then of the
 * next. Nothing may follow the last. Throws as `readSnapshot`.
 */
export async function* readPages(
  source: ByteSource,
  { header, pagesOffset }: Snapshot,
  signal?: AbortSignal,
): AsyncGenerator<SnapshotPage, void> {
  const { layers, length } = header;
  const reader = new Reader(source, signal, pagesOffset);
  const most = Math.max(1, Math.floor(READ_BYTES / pageSize(header, 0).bytes));
  const buffer = new Uint8Array(Math.min(most, layers) * pageSize(header, 0).bytes);
  for (let index = 0; index * PAGE_ROWS < length; index++) {
    const { bytes } = pageSize(header, index);
    for (let first = 0; first < layers; first += most) {
      const count = Math.min(most, layers - first);
      const offset = reader.offset - pagesOffset;
      await reader.fill(buffer.subarray(0, count * bytes));
      for (let i = 0; i < count; i++) {
        const layer = first + i;
        const page = buffer.subarray(i * bytes, (i + 1) * bytes);
        const what = `page ${index} of layer ${layer}`;
        const place = placeOf("pages", offset + i * bytes);
        yield { layer, index, bytes: checkCrc(SNAPSHOT, what, page, place) };
      }
    }
  }
  await reader.expectEnd();
}

/** Throws UNSUPPORTED_FILE for rows of another model or cache, CONTEXT_FULL for too many. */
function checkSnapshot(header: SnapshotHeader, model: SnapshotModel): void {
  const expect = (what: string, expected: string | number, got: string | number): void => {
    if (expected === got) return;
    const one = `one of ${what} ${describeValue(expected)}`;
    const message = `session: expected ${one}, got ${describeValue(got)}`;
    throw new PlmError("UNSUPPORTED_FILE", message);
  };
  expect("model", model.fingerprint, header.model);
  expect("cache type", model.cacheType, header.cacheType);
  expect("row size", model.rowBytes, header.rowBytes);
  expect("layer count", model.layers, header.layers);
  if (header.length > model.contextLength) {
    const expected = `at most ${model.contextLength} tokens (the context)`;
    throw new PlmError("CONTEXT_FULL", `session: expected ${expected}, got ${header.length}`);
  }
}

async function readHeader(reader: Reader): Promise<SnapshotHeader> {
  const start = await reader.readUpTo(PREFIX_BYTES);
  const prefix = decodePrefix(SNAPSHOT, start);
  const { headerBytes, totalBytes } = prefix;
  reader.expectSize(totalBytes);
  if (headerBytes > MOST_HEADER_BYTES) {
    throw invalidFrame(
      SNAPSHOT,
      `a header of at most ${MOST_HEADER_BYTES} bytes`,
      `${headerBytes}`,
    );
  }
  const frame = new Uint8Array(PREFIX_BYTES + headerBytes + CRC_BYTES);
  frame.set(start);
  await reader.fill(frame.subarray(PREFIX_BYTES));
  const json = checkCrc(SNAPSHOT, "the header", frame).subarray(PREFIX_BYTES);
  return parseSnapshotHeader(decodeHeader(SNAPSHOT, json), prefix);
}

async function readTokens(
  reader: Reader,
  { length }: SnapshotHeader,
  vocabSize: number,
): Promise<Uint32Array> {
  const bytes = await reader.readChecked(4 * length, "tokens");
  const tokens = new Uint32Array(bytes.buffer, 0, length);
  const bad = tokens.find((token) => token >= vocabSize);
  if (bad === undefined) return tokens;
  throw invalidFrame(SNAPSHOT, `tokens below ${vocabSize}`, `${bad}`);
}

async function readMessages(reader: Reader, header: SnapshotHeader): Promise<string | undefined> {
  const length = messagesBytes(header);
  if (length === undefined) return undefined;
  const bytes = await reader.readChecked(length, "messages");
  try {
    const options = { fatal: true, ignoreBOM: true };
    return new (requireGlobal("TextDecoder"))("utf-8", options).decode(bytes);
  } catch (cause) {
    throw invalidFrame(SNAPSHOT, "messages of UTF-8", "something else", cause);
  }
}

/** Reads a source from front to back. */
class Reader {
  offset: number;
  readonly #source: ByteSource;
  readonly #signal: AbortSignal | undefined;

  constructor(source: ByteSource, signal: AbortSignal | undefined, offset = 0) {
    this.#source = source;
    this.#signal = signal;
    this.offset = offset;
  }

  /** Throws INVALID_FILE if the source is known to have another size. */
  expectSize(bytes: number): void {
    const { size = bytes } = this.#source;
    if (size !== bytes) throw invalidFrame(SNAPSHOT, `${bytes} bytes`, `${size}`);
  }

  /** The next bytes; fewer if the file ends. */
  async readUpTo(length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    return bytes.subarray(0, await this.#read(bytes));
  }

  /** Fills `target` with the next bytes. Throws INVALID_FILE if the file has fewer. */
  async fill(target: Uint8Array): Promise<void> {
    if ((await this.#read(target)) === target.length) return;
    throw invalidFrame(SNAPSHOT, "more bytes", `the end after ${this.offset}`);
  }

  /** The next bytes, a section of one part, checked by the CRC that follows them. */
  async readChecked(length: number, section: "tokens" | "messages"): Promise<Uint8Array> {
    const bytes = new Uint8Array(length + CRC_BYTES);
    await this.fill(bytes);
    return checkCrc(SNAPSHOT, `the ${section}`, bytes, placeOf(section, 0));
  }

  /** Throws INVALID_FILE if more bytes follow. */
  async expectEnd(): Promise<void> {
    const end = this.offset;
    // A known size was checked before; only a stream may break its promise.
    if (this.#source.size !== undefined && !this.#source.sequential) return;
    if ((await this.readUpTo(1)).length === 0) return;
    throw invalidFrame(SNAPSHOT, `${end} bytes`, "more");
  }

  async #read(target: Uint8Array): Promise<number> {
    this.#signal?.throwIfAborted();
    const read = await this.#source.read(this.offset, target, this.#signal);
    this.offset += read;
    return read;
  }
}
