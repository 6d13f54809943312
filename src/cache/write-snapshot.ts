/** Writes saved sessions, a piece at a time. */
import { PlmError } from "../errors.js";
import { CRC_BYTES, encodeFrame, writeCrc } from "../format/frame.js";
import { requireGlobal } from "../globals.js";
import {
  MOST_MESSAGES_BYTES,
  PAGE_ROWS,
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
  /** The rows of a page, in place: 64, or at the end fewer. */
  page(layer: number, index: number): Uint8Array;
}

/** What is saved of a session. */
export interface SnapshotParts {
  /** The model's fingerprint. */
  readonly model: string;
  readonly cacheType: string;
  /** As many as there are rows in each layer. */
  readonly tokens: ArrayLike<number>;
  readonly pages: SnapshotPages;
  /** A conversation as JSON; nothing here reads it. */
  readonly messages?: string | undefined;
}

/** A saved session, to be written. */
export interface EncodedSnapshot {
  readonly totalBytes: number;
  /** Its bytes in order, a page of all layers at a time, each in memory of its own. */
  readonly pieces: Generator<Uint8Array<ArrayBuffer>, void>;
}

/** A session's bytes. Rows must stay until they are written. Throws INVALID_ARGUMENT. */
export function encodeSnapshot(parts: SnapshotParts): EncodedSnapshot {
  const { model, cacheType, tokens, pages, messages } = parts;
  const { layers, length, rowBytes } = pages;
  const text = messages === undefined ? undefined : encodeMessages(messages);
  const header = snapshotHeader({ model, cacheType, rowBytes, layers, length }, text?.length);
  const frame = encodeFrame(SNAPSHOT, header, CRC_BYTES + sectionsBytes(header));
  const totalBytes = frame.length + CRC_BYTES + sectionsBytes(header);
  const beforePages = [frame, new Uint8Array(Uint32Array.from(tokens).buffer)];
  if (text !== undefined) beforePages.push(text);
  return { totalBytes, pieces: encodePieces(beforePages, header, pages) };
}

function encodeMessages(messages: string): Uint8Array<ArrayBuffer> {
  const text = new (requireGlobal("TextEncoder"))().encode(messages);
  if (text.length <= MOST_MESSAGES_BYTES) return text;
  const message = `messages: expected at most ${MOST_MESSAGES_BYTES} bytes, got ${text.length}`;
  throw new PlmError("INVALID_ARGUMENT", message, { argument: "messages" });
}

function* encodePieces(
  beforePages: readonly Uint8Array[],
  header: SnapshotHeader,
  pages: SnapshotPages,
): Generator<Uint8Array<ArrayBuffer>, void> {
  yield withCrcs(beforePages);
  for (let index = 0; index * PAGE_ROWS < header.length; index++) {
    yield withCrcs(Array.from({ length: header.layers }, (_, layer) => pages.page(layer, index)));
  }
}

/** The parts in one, each followed by its CRC. */
function withCrcs(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length + CRC_BYTES, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at = writeCrc(bytes, at, at + part.length);
  }
  return bytes;
}
