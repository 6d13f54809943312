/** Saved sessions for tests: of random rows, from any source, or crafted by hand. */

import { readPages, readSnapshot, type SnapshotModel } from "../../../src/cache/read-snapshot.js";
import { placeOf, type SectionName, SNAPSHOT } from "../../../src/cache/snapshot.js";
import { type SnapshotParts, SnapshotWriter } from "../../../src/cache/write-snapshot.js";
import type { ByteSource } from "../../../src/format/byte-source.js";
import { CRC_BYTES, PREFIX_BYTES, writeCrc } from "../../../src/format/frame.js";
import { PAGE_ROWS } from "../../../src/kernels/packed.js";
import { joined } from "../../support/joined.js";
import { seededRandom } from "../../support/random.js";

/** The contents of a session. */
export interface Held {
  readonly tokens: number[];
  /** u8[layers][length * rowBytes] */
  readonly rows: Uint8Array[];
  readonly messages: string | undefined;
}

/** The model of small sessions. */
export const MODEL: SnapshotModel = {
  fingerprint: "0123456789abcdef",
  cacheType: "i16",
  rowBytes: 6,
  layers: 2,
  vocabSize: 1000,
  contextLength: 256,
};

/** A session of random tokens and rows. */
export function heldOf(model: SnapshotModel, length: number, seed = 1, messages?: string): Held {
  const random = seededRandom(seed);
  const upTo = (n: number): number => Math.floor(random() * n);
  return {
    tokens: Array.from({ length }, () => upTo(model.vocabSize)),
    rows: Array.from({ length: model.layers }, () =>
      Uint8Array.from({ length: length * model.rowBytes }, () => upTo(256)),
    ),
    messages,
  };
}

/** The parts of a saved session, its pages in place. */
export function partsOf(model: SnapshotModel, { tokens, rows, messages }: Held): SnapshotParts {
  const { fingerprint, cacheType, layers, rowBytes } = model;
  const pageBytes = PAGE_ROWS * rowBytes;
  const page = (layer: number, index: number): Uint8Array =>
    rows[layer].subarray(index * pageBytes, (index + 1) * pageBytes);
  const pages = { layers, rowBytes, length: tokens.length, page };
  return { model: fingerprint, cacheType, tokens, pages, messages };
}

/** A saved session's bytes. */
export function saved(model: SnapshotModel, held: Held): Uint8Array<ArrayBuffer> {
  return joined([...new SnapshotWriter(partsOf(model, held)).pieces()]);
}

/** A source's whole contents. */
export async function restored(
  source: ByteSource,
  model: SnapshotModel,
  signal?: AbortSignal,
): Promise<Held> {
  const snapshot = await readSnapshot(source, model, signal);
  const { tokens, messages, header } = snapshot;
  const { layers, length, rowBytes } = header;
  const rows = Array.from({ length: layers }, () => new Uint8Array(length * rowBytes));
  for await (const { layer, index, bytes } of readPages(source, snapshot, signal)) {
    rows[layer].set(bytes, index * PAGE_ROWS * rowBytes);
  }
  return { tokens: [...tokens], rows, messages };
}

/** A source over bytes, whose size may be unknown; it counts reads. */
export class CountingSource implements ByteSource {
  readonly name = "saved session";
  readonly size: number | undefined;
  readonly sequential: boolean;
  reads = 0;
  largestRead = 0;
  readonly #bytes: Uint8Array;
  #position = 0;

  constructor(bytes: Uint8Array, isStream: boolean) {
    this.#bytes = bytes;
    this.size = isStream ? undefined : bytes.length;
    this.sequential = isStream;
  }

  async read(offset: number, target: Uint8Array): Promise<number> {
    if (this.sequential && offset < this.#position) throw new Error("a stream cannot go back");
    this.reads++;
    this.largestRead = Math.max(this.largestRead, target.length);
    const found = this.#bytes.subarray(offset, offset + target.length);
    target.set(found);
    this.#position = offset + found.length;
    return found.length;
  }

  async close(): Promise<void> {}
}

/**
 * A file of any header and the parts after it, with valid checksums; `totalBytes` is the size that
 * it claims, by default its real size.
 */
export function crafted(
  json: string,
  parts: readonly [section: SectionName, bytes: Uint8Array][] = [],
  totalBytes?: number,
): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(json);
  const frame = new Uint8Array(PREFIX_BYTES + text.length);
  frame.set(new TextEncoder().encode("PLMSESSN"));
  frame.set(text, PREFIX_BYTES);
  const view = new DataView(frame.buffer);
  view.setUint32(8, SNAPSHOT.version, true);
  view.setUint32(12, text.length, true);
  const size = parts.reduce((sum, [, { length }]) => sum + length + CRC_BYTES, 0);
  view.setBigUint64(16, BigInt(totalBytes ?? frame.length + CRC_BYTES + size), true);
  const offsets = new Map<SectionName, number>();
  const pieces = parts.map(([section, bytes]) => {
    const offset = offsets.get(section) ?? 0;
    offsets.set(section, offset + bytes.length + CRC_BYTES);
    return withCrc(bytes, placeOf(section, offset));
  });
  return joined([withCrc(frame, 0), ...pieces]);
}

function withCrc(part: Uint8Array, place: number): Uint8Array {
  const bytes = new Uint8Array(part.length + CRC_BYTES);
  bytes.set(part);
  writeCrc(bytes, 0, part.length, place);
  return bytes;
}
