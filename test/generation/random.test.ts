import { test } from "uvu";
import * as assert from "uvu/assert";
import { createRandomSource, nextUint32, randomSeed } from "../../src/generation/random.js";

test("xoshiro128** gives the numbers of the reference implementation", () => {
  const state = Uint32Array.of(1, 2, 3, 4);
  const numbers = Array.from({ length: 10 }, () => nextUint32(state));
  assert.equal(
    numbers,
    [
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597,
      4258142804,
    ],
  );
});

test("numbers are in [0, 1) and spread evenly", () => {
  const random = createRandomSource(7);
  const counts = new Array<number>(16).fill(0);
  for (let i = 0; i < 16000; i++) {
    const value = random();
    assert.ok(value >= 0 && value < 1);
    counts[Math.floor(value * 16)]++;
  }
  const chiSquare = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
  assert.ok(chiSquare < 37.7, `chi-square ${chiSquare}, 15 degrees of freedom, p = 0.001`);
});

test("the seed alone decides, all 53 bits of it", () => {
  const first = (seed: number) => createRandomSource(seed)();
  assert.is(first(42), first(42));
  const seeds = [0, 1, 2, 3, 2 ** 32, 2 ** 32 + 1, 2 ** 52, 2 ** 53 - 1, 0xffffffff];
  assert.is(new Set(seeds.map(first)).size, seeds.length);
});

test("a seed gives these numbers, computed apart with big integers", () => {
  const take = (random: () => number) => [random(), random(), random()];
  assert.equal(
    take(createRandomSource(42)),
    [0.6553784353498703, 0.5461771376422331, 0.8626234831689009],
  );
  assert.equal(
    take(createRandomSource(2 ** 53 - 1)),
    [0.8494728265891474, 0.9719694274834948, 0.21564305069213197],
  );
});

test("a random seed is an integer of 32 bits", () => {
  const seed = randomSeed();
  assert.ok(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32);
});

test.run();
