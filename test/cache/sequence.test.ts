/** Sequences and their pages against arrays of rows. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { PagePool, pagesOf } from "../../src/cache/pages.js";
import { CacheSequence } from "../../src/cache/sequence.js";
import { PlmError } from "../../src/errors.js";
import { PAGE_ROWS } from "../../src/kernels/packed.js";
import { seededRandom } from "../support/random.js";

const ROW_BYTES = 4;
const LAYERS = 3;

/** A pool of that many pages, after a guard page. */
function createPool(count: number): PagePool {
  const memory = new WebAssembly.Memory({ initial: 8 });
  return new PagePool(memory, { ptr: 65536, pageBytes: PAGE_ROWS * ROW_BYTES, count });
}

/** A sequence and its expected rows: the same in each layer, plus the layer's number. */
interface Case {
  readonly sequence: CacheSequence;
  rows: number[];
}

/** Appends rows as an evaluation does, by the addresses of pages. */
function append(pool: PagePool, { sequence, rows }: Case, values: readonly number[]): void {
  sequence.reserve(values.length);
  sequence.append(values.length);
  for (const [i, value] of values.entries()) {
    const at = rows.length + i;
    for (let layer = 0; layer < LAYERS; layer++) {
      const page = sequence.page(layer, Math.floor(at / PAGE_ROWS));
      const view = new DataView(page.buffer, page.byteOffset, page.length);
      view.setUint32((at % PAGE_ROWS) * ROW_BYTES, value * 8 + layer);
    }
  }
  rows.push(...values);
  assert.ok(pool.used <= pool.count);
}

function assertRows({ sequence, rows }: Case): void {
  assert.is(sequence.length, rows.length);
  for (let layer = 0; layer < LAYERS; layer++) {
    const found: number[] = [];
    for (let i = 0; i < pagesOf(rows.length); i++) {
      const page = sequence.page(layer, i);
      const view = new DataView(page.buffer, page.byteOffset, page.length);
      for (let at = 0; at < page.length; at += ROW_BYTES) found.push(view.getUint32(at));
    }
    assert.equal(
      found,
      rows.map((value) => value * 8 + layer),
    );
  }
}

test("random forks, truncations and appends keep each sequence's rows", () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = seededRandom(seed);
    const below = (n: number): number => Math.floor(random() * n);
    const pool = createPool(60);
    const cases: Case[] = [{ sequence: new CacheSequence(pool, LAYERS), rows: [] }];
    for (let step = 0; step < 60; step++) {
      const chosen = cases[below(cases.length)];
      const action = below(5);
      if (action === 0) {
        cases.push({ sequence: chosen.sequence.fork(), rows: [...chosen.rows] });
      } else if (action === 1) {
        chosen.rows.length = below(chosen.rows.length + 1);
        chosen.sequence.truncate(chosen.rows.length);
      } else if (action === 2 && cases.length > 1) {
        chosen.sequence.dispose();
        cases.splice(cases.indexOf(chosen), 1);
      } else {
        const before = pool.used;
        const values = Array.from({ length: 1 + below(100) }, () => below(1e6));
        try {
          append(pool, chosen, values);
        } catch (error) {
          assert.is(PlmError.from(error)?.code, "CACHE_FULL");
          assert.is(pool.used, before, "a refusal takes no pages");
        }
      }
      for (const each of cases) assertRows(each);
    }
    for (const { sequence } of cases) sequence.dispose();
    assert.is(pool.used, 0);
  }
});

test("a fork takes no pages until a shared one is written to", () => {
  const pool = createPool(60);
  const one: Case = { sequence: new CacheSequence(pool, LAYERS), rows: [] };
  append(pool, one, Array(130).fill(7));
  assert.is(pool.used, 3 * LAYERS);
  const other: Case = { sequence: one.sequence.fork(), rows: [...one.rows] };
  assert.is(pool.used, 3 * LAYERS);
  append(pool, other, [1]);
  assert.is(pool.used, 4 * LAYERS, "the last page of each layer");
  append(pool, one, [2]);
  assert.is(pool.used, 4 * LAYERS, "which the other then has for itself");
  one.sequence.dispose();
  assertRows(other);
  other.sequence.dispose();
  assert.is(pool.used, 0);
});

test("tables have the addresses of pages, layer by layer", () => {
  const pool = createPool(60);
  const sequence = new CacheSequence(pool, LAYERS);
  sequence.reserve(70);
  const words = new Uint32Array(LAYERS * 4);
  sequence.writeTables(words, 4);
  const addresses = [0, 1, 4, 5, 8, 9].map((i) => words[i]);
  assert.is(new Set(addresses).size, 6);
  for (const address of addresses) {
    assert.is((address - 65536) % (PAGE_ROWS * ROW_BYTES), 0);
    assert.ok(address >= 65536 && address < 65536 + 60 * PAGE_ROWS * ROW_BYTES);
  }
  sequence.truncate(0);
  assert.is(pool.used, 0, "pages that were reserved and not written");
});

test("a sequence adopts blocks up to any row, and copies the last when it writes", () => {
  const pool = createPool(60);
  const one: Case = { sequence: new CacheSequence(pool, LAYERS), rows: [] };
  append(
    pool,
    one,
    Array.from({ length: 130 }, (_, i) => i),
  );
  for (const length of [0, 1, 64, 100, 128, 130]) {
    const blocks = Array.from({ length: pagesOf(length) }, (_, i) => one.sequence.block(i));
    const other: Case = { sequence: new CacheSequence(pool, LAYERS), rows: [] };
    other.sequence.adopt(blocks, length);
    other.rows = one.rows.slice(0, length);
    assertRows(other);
    assert.is(pool.used, 3 * LAYERS);
    const taken = length % PAGE_ROWS === 0 ? 0 : LAYERS;
    const room = PAGE_ROWS - (length % PAGE_ROWS || PAGE_ROWS);
    assert.is(other.sequence.needed(room), taken);
    assert.is(other.sequence.needed(room + 1), taken + LAYERS);
    append(pool, other, Array(room + 1).fill(1000));
    assert.is(pool.used, 4 * LAYERS + taken);
    assert.is(other.sequence.needed(1), 0);
    assertRows(other);
    assertRows(one);
    other.sequence.dispose();
  }
});

test("a block is exchanged for one with the same rows", () => {
  const pool = createPool(60);
  const [one, other] = [1, 2].map((): Case => {
    const each = { sequence: new CacheSequence(pool, LAYERS), rows: [] };
    append(pool, each, Array(70).fill(5));
    return each;
  });
  other.sequence.exchange(0, one.sequence.block(0));
  assert.is(pool.used, 3 * LAYERS);
  assert.equal(other.sequence.block(0), one.sequence.block(0));
  assert.not.equal(other.sequence.block(1), one.sequence.block(1));
  other.sequence.exchange(0, one.sequence.block(0));
  one.sequence.dispose();
  assertRows(other);
  other.sequence.dispose();
  assert.is(pool.used, 0);
});

test("a kept page is copied while there is room, and evicted where there is none", () => {
  for (const spare of [0, 1]) {
    const pool = createPool(LAYERS * (2 + spare));
    const evicted: number[] = [];
    const one: Case = { sequence: new CacheSequence(pool, LAYERS), rows: [] };
    append(pool, one, Array(80).fill(5));
    const kept = one.sequence.block(0);
    pool.evictWith((page) => {
      evicted.push(page);
      for (const each of kept) pool.discard(each);
    });
    for (const page of kept) pool.keep(page);
    one.sequence.truncate(30);
    one.rows.length = 30;
    assert.is(one.sequence.needed(98), 2 * LAYERS);
    assert.ok(one.sequence.fits(98, spare * LAYERS));
    assert.not(one.sequence.fits(98, spare * LAYERS + 1));
    assert.throws(() => one.sequence.reserve(99 + 64 * spare), /expected/);
    assert.equal(evicted, [], "a refusal evicts nothing");
    append(pool, one, Array(98).fill(6));
    assertRows(one);
    assert.equal(evicted, spare === 0 ? [kept[0]] : []);
    assert.is(pool.kept, spare * LAYERS);
    assert.is(pool.free, 0);
    one.sequence.dispose();
  }
});

test("a shared page is not evicted: that would save no copy", () => {
  const pool = createPool(LAYERS);
  pool.evictWith(() => assert.unreachable());
  const one = new CacheSequence(pool, LAYERS);
  one.reserve(10);
  one.append(10);
  for (const page of one.block(0)) pool.keep(page);
  const other = one.fork();
  assert.not(other.fits(1));
  assert.throws(() => other.reserve(1), /expected 3 free pages of 64 rows, got 0/);
});

test.run();
