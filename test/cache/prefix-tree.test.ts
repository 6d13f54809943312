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

  /** Matches a history's tokens; kinds as well where they must be equal. */
  match(history: string, hasKinds: boolean): [PrefixMatch, ReferenceSequence] {
    const { tokens, kinds } = rowsOf(history);
    // What follows the tokens to be matched is not looked at.
    const longer = Uint32Array.from([...tokens, 1, 1, 1]);
    const wanted = hasKinds ? kinds : undefined;
    const found = this.tree.match({ tokens: longer, most: tokens.length, kinds: wanted });
    const expected = this.reference.match(tokens, wanted);
    assert.is(found.length, expected.history.length);
    assert.equal(found.kinds, rowsOf(expected.history).kinds);
    assert.is(found.blocks.length, expected.blocks.length);
    return [found, expected];
  }

  /** A sequence that begins with the longest match. */
  adopt(history: string, hasKinds: boolean): Pair {
    const [{ blocks, length }, expected] = this.match(history, hasKinds);
    const sequence = new CacheSequence(this.pool, LAYERS);
    sequence.adopt(blocks, length);
    return this.#add(sequence, this.reference.create(expected.history, expected.blocks));
  }

  append({ sequence, reference }: Pair, rows: string): void {
    const { length } = reference.history;
    assert.is(sequence.needed(rows.length), LAYERS * this.reference.needed(reference, rows.length));
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
      const pair = this.adopt(key, true);
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
        caches.adopt(anySeen().slice(0, below(400)) + randomRows(below, below(9)), below(3) === 0);
      } else if (action === 1) {
        caches.match(anySeen().slice(0, below(400)), below(2) === 0);
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

test.run();
