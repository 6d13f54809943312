import { test } from "uvu";
import * as assert from "uvu/assert";
import { Random } from "../../../src/training/data/random.js";

const take = (random: Random, count = 6): number[] =>
  Array.from({ length: count }, () => random.uint32());

test("sfc32 by its definition, computed with big integers", () => {
  const mask = (1n << 32n) - 1n;
  let [a, b, c, counter] = [1n, 2n, 3n, 4n];
  const expected = Array.from({ length: 20 }, () => {
    const sum = (a + b + counter++) & mask;
    a = b ^ (b >> 9n);
    b = (c + (c << 3n)) & mask;
    c = (((c << 21n) | (c >> 11n)) + sum) & mask;
    return Number(sum);
  });
  assert.equal(take(new Random([1, 2, 3, 4]), 20), expected);
});

test("a source goes on from its state, which is plain JSON", () => {
  const random = Random.of(7, "order");
  take(random, 100);
  const state = JSON.parse(JSON.stringify(random.state()));
  assert.equal(take(new Random(state), 50), take(random, 50));
});

test("seed and purpose decide, all 53 bits of the seed", () => {
  assert.equal(take(Random.of(3, "weights")), take(Random.of(3, "weights")));
  const seeds = [0, 1, 2 ** 32, 2 ** 32 + 1, 2 ** 53 - 1];
  const firsts = seeds.flatMap((seed) =>
    ["weights", "order", ""].map((purpose) => Random.of(seed, purpose).uint32()),
  );
  assert.is(new Set(firsts).size, firsts.length);
});

test("integers below a count spread evenly", () => {
  const random = Random.of(1, "spread");
  const counts = new Array<number>(10).fill(0);
  for (let i = 0; i < 10000; i++) counts[random.below(10)]++;
  const chiSquare = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
  assert.ok(chiSquare < 27.9, `chi-square ${chiSquare}, 9 degrees of freedom, p = 0.001`);
  assert.is(random.below(1), 0);
});

test("normal numbers have mean 0 and deviation 1", () => {
  const random = Random.of(2, "weights");
  const n = 20000;
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < n; i++) {
    const value = random.normal();
    sum += value;
    squares += value * value;
  }
  assert.ok(Math.abs(sum / n) < 0.025, `${sum / n}`);
  assert.ok(Math.abs(squares / n - 1) < 0.03, `${squares / n}`);
});

test("a shuffle keeps every element, in another order", () => {
  const list = Uint32Array.from({ length: 100 }, (_, i) => i);
  Random.of(5, "order").shuffle(list);
  assert.not.equal(
    list,
    Uint32Array.from({ length: 100 }, (_, i) => i),
  );
  assert.equal(
    list.toSorted(),
    Uint32Array.from({ length: 100 }, (_, i) => i),
  );
});

test.run();
