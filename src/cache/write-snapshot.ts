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

  /** The bytes in order, a page of all layers at a time, each piece in memory of its own. */
  *pieces(): Generator<OwnBytes, void> {
    let offset = 0;
    for (let group = 0; group < this.#groups; group++) {
      const piece = this.#piece(group, offset);
      offset += piece.length;
      yield piece;
    }
  }

  /** Writes all to u8[totalBytes], a page of all layers at a time, and yields after each. */
  *writeTo(bytes: Uint8Array): Generator<void, void> {
    let offset = 0;
    for (let group = 0; group < this.#groups; group++) {
      offset += writeParts(bytes.subarray(offset), this.#parts(group), offset);
      yield;
    }
  }

  /** Groups of parts that are written at a time: what comes before the pages, then pages. */
  get #groups(): number {
    return 1 + Math.ceil(this.#header.length / PAGE_ROWS);
  }

  /** The parts of a group, in place. A generator must not hold them: it would hold the memory. */
  #parts(group: number): readonly Uint8Array[] {
    if (group === 0) return this.#start;
    const { layers } = this.#header;
    return Array.from({ length: layers }, (_, layer) => this.#pages.page(layer, group - 1));
  }

  #piece(group: number, offset: number): OwnBytes {
    const parts = this.#parts(group);
    const piece = new Uint8Array(parts.reduce((sum, { length }) => sum + length + CRC_BYTES, 0));
    writeParts(piece, parts, offset);
    return piece;
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
