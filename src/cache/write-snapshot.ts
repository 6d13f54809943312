/** Writes saved sessions, a piece at a time. */

import { PlmError } from "../errors.js";
import { CRC_BYTES, encodeFrame, writeCrc } from "../format/frame.js";
import { requireGlobal } from "../globals.js";
import { PAGE_ROWS } from "../kernels/packed.js";
import type { OwnBytes } from "../web-types.js";
import {
  MOST_MESSAGES_BYTES,
  pageSize,
  placeOf,
  SNAPSHOT,
  type SnapshotHeader,
  sectionsBytes,
  snapshotHeader,
} from "./snapshot.js";

/** The rows of a sequence, to be saved. */
export interface SnapshotPages {
  readonly layers: number;
  /** Rows in each layer. */
  readonly length: number;
  readonly rowBytes: number;
  /** The rows of a page, in place: 64, the last page may have fewer. */
  page(layer: number, index: number): Uint8Array;
}

/** The contents of a saved session. */
export interface SnapshotParts {
  /** The model's fingerprint. */
  readonly model: string;
  readonly cacheType: string;
  /** One for each row of a layer. */
  readonly tokens: ArrayLike<number>;
  readonly pages: SnapshotPages;
  /** A conversation's messages, as text that only their writer reads. */
  readonly messages?: string | undefined;
}

/** Bytes that are followed by a checksum of them and of their place. */
interface Part {
  readonly place: number;
  readonly bytes: Uint8Array;
}

/** Writes a session, whose rows must not change meanwhile. Throws INVALID_ARGUMENT. */
export class SnapshotWriter {
  readonly totalBytes: number;
  readonly #header: SnapshotHeader;
  readonly #pages: SnapshotPages;
  /** The parts before the pages. */
  readonly #start: readonly Part[];

  constructor({ model, cacheType, tokens, pages, messages }: SnapshotParts) {
    const { layers, length, rowBytes } = pages;
    const text = messages === undefined ? undefined : encodeMessages(messages);
    const header = snapshotHeader({ model, cacheType, rowBytes, layers, length }, text?.length);
    const restBytes = CRC_BYTES + sectionsBytes(header);
    const frame = encodeFrame(SNAPSHOT, header, restBytes);
    this.totalBytes = frame.length + restBytes;
    this.#header = header;
    this.#pages = pages;
    this.#start = [
      { place: 0, bytes: frame },
      { place: placeOf("tokens", 0), bytes: new Uint8Array(Uint32Array.from(tokens).buffer) },
      ...(text === undefined ? [] : [{ place: placeOf("messages", 0), bytes: text }]),
    ];
  }

  /** The bytes in order, a page of all layers at a time, each piece in memory of its own. */
  *pieces(): Generator<OwnBytes, void> {
    for (let group = 0; group < this.#groups; group++) yield this.#piece(group);
  }

  /** Writes all to u8[totalBytes], a page of all layers at a time, and yields after each. */
  *writeTo(bytes: Uint8Array): Generator<void, void> {
    let offset = 0;
    for (let group = 0; group < this.#groups; group++) {
      offset += writeParts(bytes.subarray(offset), this.#parts(group));
      yield;
    }
  }

  /** Groups of parts that are written at a time: what comes before the pages, then pages. */
  get #groups(): number {
    return 1 + Math.ceil(this.#header.length / PAGE_ROWS);
  }

  /** The parts of a group, in place. A generator must not hold them: it would hold the memory. */
  #parts(group: number): readonly Part[] {
    if (group === 0) return this.#start;
    const { layers } = this.#header;
    const index = group - 1;
    const first = index * layers * pageSize(this.#header, 0).bytes;
    const { bytes } = pageSize(this.#header, index);
    return Array.from({ length: layers }, (_, layer) => ({
      place: placeOf("pages", first + layer * bytes),
      bytes: this.#pages.page(layer, index),
    }));
  }

  #piece(group: number): OwnBytes {
    const parts = this.#parts(group);
    const bytes = parts.reduce((sum, part) => sum + part.bytes.length + CRC_BYTES, 0);
    const piece = new Uint8Array(bytes);
    writeParts(piece, parts);
    return piece;
  }
}

/** Writes parts, each followed by its CRC; returns their bytes. */
function writeParts(bytes: Uint8Array, parts: readonly Part[]): number {
  let at = 0;
  for (const part of parts) {
    bytes.set(part.bytes, at);
    at = writeCrc(bytes, at, at + part.bytes.length, part.place);
  }
  return at;
}

function encodeMessages(messages: string): OwnBytes {
  const text = new (requireGlobal("TextEncoder"))().encode(messages);
  if (text.length <= MOST_MESSAGES_BYTES) return text;
  const message = `messages: expected at most ${MOST_MESSAGES_BYTES} bytes, got ${text.length}`;
  throw new PlmError("INVALID_ARGUMENT", message, { argument: "messages" });
}
