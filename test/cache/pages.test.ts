/** The pool's counts and its order of eviction against lists of pages. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { PagePool } from "../../src/cache/pages.js";
import { PlmError } from "../../src/errors.js";
import { seededRandom } from "../support/random.js";

/** A pool of pages of 64 bytes. */
function createPool(count: number, expectUsable?: () => void): PagePool {
  const memory = new WebAssembly.Memory({ initial: 2 });
  return new PagePool(memory, { ptr: 65536, pageBytes: 64, count }, expectUsable);
}

test("random schedules have the counts of lists, and evict what was used longest ago", () => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = seededRandom(seed);
    const below = (n: number): number => Math.floor(random() * n);
    const pool = createPool(12);
    /** A page for each holder; kept pages; of these those without holders, the oldest first. */
    const held: number[] = [];
    const kept = new Set<number>();
    const unheld: number[] = [];
    const remove = (list: number[], page: number): void => {
      list.splice(list.indexOf(page), 1);
    };
    pool.evictWith((page) => {
      if (unheld.includes(page)) assert.is(page, unheld.shift());
      kept.delete(page);
      pool.discard(page);
    });
    for (let step = 0; step < 300; step++) {
      const any = held[below(held.length)];
      const action = below(8);
      if (action === 0 && any !== undefined) {
        pool.hold(any);
        held.push(any);
      } else if (action === 1 && unheld.length > 0) {
        const page = unheld[below(unheld.length)];
        pool.hold(page);
        remove(unheld, page);
        held.push(page);
      } else if (action === 2 && unheld.length > 0) {
        const page = unheld[below(unheld.length)];
        pool.touch(page);
        remove(unheld, page);
        unheld.push(page);
      } else if (action === 3 && any !== undefined && !kept.has(any)) {
        pool.keep(any);
        kept.add(any);
      } else if (action === 4 && kept.size > 0 && below(3) === 0) {
        const page = [...kept][below(kept.size)];
        pool.discard(page);
        kept.delete(page);
        if (unheld.includes(page)) remove(unheld, page);
      } else if (action === 5 && any !== undefined) {
        pool.release(any);
        remove(held, any);
        if (kept.has(any) && !held.includes(any)) unheld.push(any);
      } else if (action === 6 && any !== undefined && kept.has(any)) {
        pool.touch(any);
      } else if (pool.available > 0) {
        const before = [...held, ...kept];
        const page = pool.take();
        assert.not(held.includes(page) || kept.has(page), "a page that is in use");
        if (before.includes(page)) assert.is(pool.free, 0, "evicted only for room");
        held.push(page);
      } else {
        assert.throws(() => pool.take(), /expected 1 free pages of 64 rows, got 0; dispose of/);
      }
      assert.is(pool.used, new Set(held).size);
      assert.is(pool.kept, unheld.length);
      assert.is(pool.free, pool.count - pool.used - pool.kept);
      assert.is(pool.available, pool.free + pool.kept);
      for (let page = 0; page < pool.count; page++) {
        const holders = held.filter((each) => each === page).length;
        assert.is(pool.holders(page), holders);
        assert.is(pool.isShared(page), holders > 1 || kept.has(page));
      }
    }
  }
});

test("room is made by as many evictions as it takes, and none where it cannot be", () => {
  const pool = createPool(6);
  const evicted: number[] = [];
  pool.evictWith((page) => {
    evicted.push(page);
    pool.discard(page);
  });
  const pages = Array.from({ length: 5 }, () => pool.take());
  for (const page of pages.slice(1)) pool.keep(page);
  for (const page of pages.slice(1)) pool.release(page);
  assert.equal([pool.free, pool.kept, pool.used], [1, 4, 1]);
  assert.throws(
    () => pool.expectFree(6),
    (error: unknown) => PlmError.from(error)?.code === "CACHE_FULL",
  );
  assert.equal(evicted, []);
  pool.expectFree(1);
  assert.equal(evicted, []);
  pool.expectFree(3);
  assert.equal(evicted, pages.slice(1, 3));
  assert.equal([pool.free, pool.kept, pool.used], [3, 2, 1]);
});

test("nothing is evicted while pages must stay as they are", () => {
  let isUsable = true;
  const pool = createPool(1, () => {
    if (!isUsable) throw new PlmError("THREAD_LOST", "a thread was lost");
  });
  pool.evictWith((page) => pool.discard(page));
  const page = pool.take();
  pool.keep(page);
  pool.release(page);
  isUsable = false;
  assert.throws(() => pool.take(), /a thread was lost/);
  assert.is(pool.kept, 1);
});

test.run();
