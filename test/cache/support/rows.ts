/**
 * Histories for tests of the cache: one character for each row, which stands for its token and its
 * kind. A row's contents follow from all characters up to it, and the layer.
 */
import * as assert from "uvu/assert";
import { PagePool } from "../../../src/cache/pages.js";
import type { Rows } from "../../../src/cache/prefix-node.js";
import type { CacheSequence } from "../../../src/cache/sequence.js";
import { PAGE_ROWS } from "../../../src/kernels/packed.js";

export const LAYERS = 2;
const ROW_BYTES = 4;

/** A pool of `blocks` pages for each layer, after a guard page. */
export function createPool(blocks: number): PagePool {
  const count = LAYERS * blocks;
  const pageBytes = PAGE_ROWS * ROW_BYTES;
  const memory = new WebAssembly.Memory({ initial: 1 + Math.ceil((count * pageBytes) / 65536) });
  return new PagePool(memory, { ptr: 65536, pageBytes, count });
}

/** The character of a row. Characters sort as the tree does: by token, then by kind. */
export function rowOf(token: number, kind: number): string {
  return String.fromCharCode(0x1000 + token * 8 + kind);
}

/** The tokens and kinds of a history. */
export function rowsOf(history: string): Rows {
  const codes = Uint32Array.from(history, (row) => row.charCodeAt(0) - 0x1000);
  return { tokens: codes.map((code) => code >> 3), kinds: Uint8Array.from(codes, (c) => c & 7) };
}

/** The expected rows of a layer: FNV-1a of the history up to each. */
function contentsOf(history: string, layer: number): Uint32Array {
  let hash = 0x811c9dc5 ^ layer;
  return Uint32Array.from(history, (row) => {
    hash = Math.imul(hash ^ row.charCodeAt(0), 0x01000193);
    return hash;
  });
}

/** Writes a history's rows from `start` on to a sequence's pages, as an evaluation does. */
export function writeRows(sequence: CacheSequence, history: string, start: number): void {
  for (let layer = 0; layer < LAYERS; layer++) {
    const contents = contentsOf(history, layer);
    for (let row = start; row < history.length; row++) {
      const { buffer, byteOffset } = sequence.page(layer, Math.floor(row / PAGE_ROWS));
      const at = byteOffset + (row % PAGE_ROWS) * ROW_BYTES;
      new DataView(buffer).setUint32(at, contents[row], true);
    }
  }
}

/** Asserts that a sequence has exactly the rows of a history. */
export function assertRows(sequence: CacheSequence, history: string): void {
  assert.is(sequence.length, history.length);
  for (let layer = 0; layer < LAYERS; layer++) {
    const contents = contentsOf(history, layer);
    for (let first = 0; first < history.length; first += PAGE_ROWS) {
      const page = sequence.page(layer, first / PAGE_ROWS);
      const expected = contents.subarray(first, first + PAGE_ROWS);
      assert.is(page.length, expected.length * ROW_BYTES);
      const view = new DataView(page.buffer, page.byteOffset, page.length);
      const wrong = expected.findIndex((row, i) => row !== view.getUint32(4 * i, true));
      assert.is(wrong, -1, `a row of layer ${layer} that follows ${first}`);
    }
  }
}
