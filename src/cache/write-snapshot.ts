/** Writes saved sessions, a piece at a time. */

import { PlmError } from "../errors.js";
import { CRC_BYTES, encodeFrame, writeCrc } from "../format/frame.js";
import { requireGlobal } from "../globals.js";
import { PAGE_ROWS } from "../kernels/packed.js";
import type { OwnBytes } from "../web-types.js";
import {
  MOST_MESSAGES_BYTES,
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

/** Writes a session, whose rows must not change meanwhile. Throws INVALID_ARGUMENT. */
export class SnapshotWriter {
  readonly totalBytes: number;
  readonly #header: SnapshotHeader;
  readonly #pages: SnapshotPages;
  /** The parts before the pages. */
  readonly #start: readonly Uint8Array[];

  constructor({ model, cacheType, tokens, pages, messages }: SnapshotParts) {
    const { layers, length, rowBytes } = pages;
    const text = messages === undefined ? [] : [encodeMessages(messages)];
    const header = snapshotHeader({ model, cacheType, rowBytes, layers, length }, text[0]?.length);
    const restBytes = CRC_BYTES + sectionsBytes(header);
    const frame = encodeFrame(SNAPSHOT, header, restBytes);
    this.totalBytes = frame.length + restBytes;
    this.#header = header;
    this.#pages = pages;
    this.#start = [frame, new Uint8Array(Uint32Array.from(tokens).buffer), ...text];
  }

  /** The bytes in order; a piece has one page of each layer, and memory of its own. */
  *pieces(): Generator<OwnBytes, void> {
    let offset = 0;
    for (const parts of this.#parts()) {
      const bytes = parts.reduce((sum, { length }) => sum + length + CRC_BYTES, 0);
      const piece = new Uint8Array(bytes);
      writeParts(piece, parts, offset);
      offset += bytes;
      yield piece;
    }
  }

  /** Writes all bytes to u8[totalBytes]; yields after one page of each layer. */
  *writeTo(bytes: Uint8Array): Generator<void, void> {
    let offset = 0;
    for (const parts of this.#parts()) {
      offset += writeParts(bytes.subarray(offset), parts, offset);
      yield;
    }
  }

  /** The parts that have checksums, in groups to write at a time. */
  *#parts(): Generator<readonly Uint8Array[], void> {
    const { length, layers } = this.#header;
    yield this.#start;
    for (let index = 0; index * PAGE_ROWS < length; index++) {
      yield Array.from({ length: layers }, (_, layer) => this.#pages.page(layer, index));
    }
  }
}

/** Writes parts, each followed by its CRC, from `offset` of the file on; returns their bytes. */
function writeParts(bytes: Uint8Array, parts: readonly Uint8Array[], offset: number): number {
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at = writeCrc(bytes, at, at + part.length, offset + at);
  }
  return at;
}

function encodeMessages(messages: string): OwnBytes {
  const text = new (requireGlobal("TextEncoder"))().encode(messages);
  if (text.length <= MOST_MESSAGES_BYTES) return text;
  const message = `messages: expected at most ${MOST_MESSAGES_BYTES} bytes, got ${text.length}`;
  throw new PlmError("INVALID_ARGUMENT", message, { argument: "messages" });
}
