/** The prefix tree, and the pool under it, against the slow reference. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { PagePool } from "../../src/cache/pages.js";
import { type PrefixMatch, PrefixTree } from "../../src/cache/prefix-tree.js";
import { RESTORED } from "../../src/cache/row-kinds.js";
import { CacheSequence } from "../../src/cache/sequence.js";
import { PlmError } from "../../src/errors.js";
import { PAGE_ROWS } from "../../src/kernels/packed.js";
import { seededRandom } from "../support/random.js";
import { ReferenceCache, type ReferenceSequence } from "./support/reference-cache.js";
import { assertRows, createPool, LAYERS, rowOf, rowsOf, writeRows } from "./support/rows.js";

/** A sequence and its reference. */
interface Pair {
  readonly sequence: CacheSequence;
  readonly reference: ReferenceSequence;
}

/** The cache and its reference, which all actions change alike. */
class Caches {
  readonly pool: PagePool;
  readonly tree: PrefixTree;
  readonly reference: ReferenceCache;
  readonly pairs: Pair[] = [];
  refusals = 0;

  constructor(blocks: number) {
    this.pool = createPool(blocks);
    this.tree = new PrefixTree(this.pool);
    this.reference = new ReferenceCache(blocks);
  }

  create(): Pair {
    return this.#add(new CacheSequence(this.pool, LAYERS), this.reference.create());
  }

  fork({ sequence, reference: { history, blocks } }: Pair): Pair {
    return this.#add(sequence.fork(), this.reference.create(history, blocks));
  }

  /** Matches a history's tokens, and the kinds of its first rows. */
  match(history: string, kindCount: number): [PrefixMatch, ReferenceSequence] {
    const { tokens, kinds } = rowsOf(history);
    // What follows the tokens to be matched is not looked at.
    const longer = Uint32Array.from([...tokens, 1, 1, 1]);
    const wanted = kinds.subarray(0, kindCount);
    const query = { tokens: longer, most: tokens.length };
    const found = this.tree.match(kindCount === 0 ? query : { ...query, kinds: wanted });
    const expected = this.reference.match(tokens, wanted);
    assert.is(found.length, expected.history.length);
    assert.equal(found.kinds, rowsOf(expected.history).kinds);
    assert.is(found.blocks.length, expected.blocks.length);
    return [found, expected];
  }

  /** A sequence that begins with the longest match. */
  adopt(history: string, kindCount: number): Pair {
    const [{ blocks, length }, expected] = this.match(history, kindCount);
    const sequence = new CacheSequence(this.pool, LAYERS);
    sequence.adopt(blocks, length);
    return this.#add(sequence, this.reference.create(expected.history, expected.blocks));
  }

  append({ sequence, reference }: Pair, rows: string): void {
    const { length } = reference.history;
    assert.is(sequence.needed(rows.length), LAYERS * this.reference.needed(reference, rows.length));
    for (const spare of [0, 1, 4]) {
      const fits = this.reference.fits(reference, rows.length, spare);
      assert.is(sequence.fits(rows.length, LAYERS * spare), fits);
    }
    if (this.reference.append(reference, rows)) {
      sequence.reserve(rows.length);
      sequence.append(rows.length);
      writeRows(sequence, reference.history, length);
    } else {
      this.refusals++;
      assert.throws(
        () => sequence.reserve(rows.length),
        (error: unknown) => PlmError.from(error)?.code === "CACHE_FULL",
      );
    }
  }

  insert({ sequence, reference }: Pair, hasEnded: boolean): void {
    const { history } = reference;
    // Of what follows the rows nothing may be kept.
    const rows = rowsOf(`${history}${rowOf(0, 0)}`);
    this.tree.insert(sequence, rows, hasEnded);
    const restored = rows.kinds.indexOf(RESTORED);
    const known = restored < 0 ? history.length : restored;
    const isWhole = hasEnded && known === history.length;
    this.reference.insert(reference, isWhole ? known : known - (known % PAGE_ROWS));
  }

  truncate({ sequence, reference }: Pair, length: number): void {
    sequence.truncate(length);
    this.reference.truncate(reference, length);
  }

  dispose(pair: Pair): void {
    pair.sequence.dispose();
    this.reference.truncate(pair.reference, 0);
    this.pairs.splice(this.pairs.indexOf(pair), 1);
  }

  clear(): void {
    this.tree.clear();
    this.reference.clear();
  }

  /** Compares all counts, and all rows of all sequences. */
  check(): void {
    const { pool, reference, tree } = this;
    assert.is(pool.free + pool.used + pool.kept, pool.count);
    assert.is(pool.used, LAYERS * reference.used);
    assert.is(pool.kept, LAYERS * reference.kept);
    assert.is(tree.pages, LAYERS * reference.keys.length);
    for (const { sequence, reference } of this.pairs) assertRows(sequence, reference.history);
  }

  /** Compares all rows that the tree keeps. */
  checkKept(): void {
    for (const key of this.reference.keys) {
      const pair = this.adopt(key, key.length);
      assert.is(pair.reference.history, key);
      assertRows(pair.sequence, key);
      this.dispose(pair);
    }
  }

  #add(sequence: CacheSequence, reference: ReferenceSequence): Pair {
    const pair = { sequence, reference };
    this.pairs.push(pair);
    return pair;
  }
}

/** Rows in runs of one token and kind, few of each, so that histories often agree. */
function randomRows(below: (n: number) => number, count: number): string {
  let rows = "";
  while (rows.length < count) {
    const kind = below(40) === 0 ? RESTORED : below(2) * 2 + below(2) * below(2);
    rows += rowOf(below(2), kind).repeat(1 + below(50));
  }
  return rows.slice(0, count);
}

test("random schedules have the reference's matches, pages and rows", () => {
  let refusals = 0;
  let evictions = 0;
  for (let seed = 1; seed <= 40; seed++) {
    const random = seededRandom(seed);
    const below = (n: number): number => Math.floor(random() * n);
    const caches = new Caches(8 + below(40));
    const seen = [""];
    const anySeen = (): string => seen[below(seen.length)];
    for (let step = 0; step < 150; step++) {
      const pair = caches.pairs[below(caches.pairs.length)];
      const action = below(pair === undefined ? 2 : 13);
      if (action === 0) {
        const kindCount = below(2) * below(400);
        caches.adopt(anySeen().slice(0, below(400)) + randomRows(below, below(9)), kindCount);
      } else if (action === 1) {
        caches.match(anySeen().slice(0, below(400)), below(2) * below(400));
        if (below(9) === 0) caches.create();
      } else if (action === 2) {
        caches.fork(pair);
      } else if (action === 3) {
        caches.truncate(pair, below(pair.reference.history.length + 1));
      } else if (action <= 5) {
        caches.insert(pair, below(2) === 0);
        caches.dispose(pair);
      } else if (action <= 7) {
        caches.insert(pair, below(4) === 0);
      } else if (action === 8) {
        if (below(8) === 0) caches.clear();
      } else {
        const { length } = pair.reference.history;
        const again = anySeen().slice(length, length + below(150));
        const keptBefore = caches.tree.pages;
        caches.append(pair, again || randomRows(below, 1 + below(150)));
        if (caches.tree.pages < keptBefore) evictions++;
        seen.push(pair.reference.history);
      }
      caches.check();
      if (step % 30 === 29) caches.checkKept();
    }
    for (const pair of [...caches.pairs]) caches.dispose(pair);
    caches.check();
    assert.is(caches.pool.used, 0);
    caches.checkKept();
    caches.clear();
    assert.is(caches.pool.free, caches.pool.count);
    refusals += caches.refusals;
  }
  assert.ok(refusals > 50, `${refusals} refusals`);
  assert.ok(evictions > 100, `${evictions} evictions`);
});

/** Inserts a history that was computed from its start, and has ended. */
function insert(pool: PagePool, tree: PrefixTree, history: string): void {
  const sequence = new CacheSequence(pool, LAYERS);
  sequence.reserve(history.length);
  sequence.append(history.length);
  writeRows(sequence, history, 0);
  tree.insert(sequence, rowsOf(history), true);
  sequence.dispose();
}

test("kinds decide between equally long paths, and which rows a replay may have", () => {
  const pool = createPool(10);
  const tree = new PrefixTree(pool);
  const of = (kinds: string): string =>
    Array.from(kinds, (kind) => rowOf(7, Number(kind))).join("");
  for (const kinds of ["00222", "02111", "0022", "31"]) insert(pool, tree, of(kinds));
  assert.is(tree.pages, 3 * LAYERS, "one history begins with another");
  const match = (most: number, kinds?: string): string => {
    const wanted = kinds === undefined ? undefined : rowsOf(of(kinds)).kinds;
    const found = tree.match({ tokens: new Uint32Array(5).fill(7), most, kinds: wanted });
    assert.is(found.length, found.kinds.length);
    return found.kinds.join("");
  };
  assert.is(match(0), "");
  assert.is(match(1), "0");
  assert.is(match(2), "00");
  assert.is(match(3), "002", "of as many prefilled rows, the lowest kinds");
  assert.is(match(4), "0211");
  assert.is(match(5), "02111");
  assert.is(match(5, "00222"), "00222");
  assert.is(match(4, "31000"), "31");
  assert.is(match(5, "10000"), "");
});

test("10,000 histories that hardly differ", () => {
  const blocks = 1000;
  const pool = createPool(blocks);
  const tree = new PrefixTree(pool);
  const start = rowOf(1, 1).repeat(PAGE_ROWS - 2);
  const histories = Array.from(
    { length: 10_000 },
    (_, i) => start + rowOf(i >> 7, 1) + rowOf(i & 127, 1),
  );
  const firstKept = histories.length - blocks;
  for (const history of histories) insert(pool, tree, history);
  assert.is(pool.kept, pool.count);
  let reads = 0;
  for (const [i, history] of histories.entries()) {
    const { tokens } = rowsOf(history);
    const counted = new Proxy(tokens, {
      get(target, name) {
        reads++;
        return Reflect.get(target, name);
      },
    });
    const { length } = tree.match({ tokens: counted, most: PAGE_ROWS });
    const differs = i >= firstKept ? 0 : i >> 7 === firstKept >> 7 ? 1 : 2;
    assert.is(length, PAGE_ROWS - differs, "the last are kept");
  }
  assert.ok(reads <= histories.length * (PAGE_ROWS + 1), "siblings are not searched one by one");
});

test("a history of 1,000 blocks is evicted from its end", () => {
  const pool = createPool(1000);
  const tree = new PrefixTree(pool);
  const history = Array.from({ length: 1000 * PAGE_ROWS }, (_, i) => rowOf(i % 999, 0)).join("");
  insert(pool, tree, history);
  const { tokens } = rowsOf(history);
  assert.is(tree.match({ tokens, most: tokens.length }).length, tokens.length);
  insert(pool, tree, rowOf(1, 0).repeat(3 * PAGE_ROWS));
  const { blocks, length } = tree.match({ tokens, most: tokens.length });
  assert.is(length, 997 * PAGE_ROWS);
  const sequence = new CacheSequence(pool, LAYERS);
  sequence.adopt(blocks, length);
  assertRows(sequence, history.slice(0, length));
  assert.equal([pool.free, pool.kept], [0, 3 * LAYERS]);
  sequence.dispose();
  tree.clear();
  assert.equal([pool.free, tree.pages], [pool.count, 0]);
});

test.run();
