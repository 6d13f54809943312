import { test } from "uvu";
import * as assert from "uvu/assert";
import { gaussian, seededRandom } from "../random.js";
import { Bench } from "./wasm.js";

const bench = await Bench.create();

function argmax(x: Float32Array, offset = 0): number {
  bench.reset();
  const index = bench.kernels.argmaxF32(bench.put(x, offset), x.length);
  bench.checkGuards();
  return index;
}

function topK(x: Float32Array, k: number, offset = 0): number[] {
  bench.reset();
  const xPtr = bench.put(x, offset);
  const indicesPtr = bench.region(k * 4, offset);
  bench.kernels.topKF32(xPtr, x.length, k, indicesPtr);
  bench.checkGuards();
  return [...bench.i32(indicesPtr, k)];
}

/** All indices, largest first, the lowest first among equals, NaN last. */
function order(x: Float32Array): number[] {
  return [...x.keys()].sort((a, b) => {
    if (Number.isNaN(x[a]) || Number.isNaN(x[b])) {
      return Number(Number.isNaN(x[a])) - Number(Number.isNaN(x[b])) || a - b;
    }
    return x[b] === x[a] ? a - b : x[b] > x[a] ? 1 : -1;
  });
}

test("argmax at every length and place", () => {
  const random = seededRandom(6);
  for (let n = 1; n <= 20; n++) {
    for (let place = 0; place < n; place++) {
      const x = gaussian(n, random).map((value) => -Math.abs(value));
      x[place] = 1;
      assert.is(argmax(x, 4 * (place & 3)), place);
    }
  }
  const x = gaussian(151936, random);
  assert.is(argmax(x), order(x)[0]);
});

test("argmax takes the lowest of equals, -0 and +0 included, and passes NaN over", () => {
  assert.is(argmax(new Float32Array(9).fill(-3)), 0);
  assert.is(argmax(Float32Array.of(-1, -0, 0, 0, 0)), 1);
  assert.is(argmax(Float32Array.of(-Infinity, -Infinity)), 0);
  assert.is(argmax(Float32Array.of(NaN, NaN, 2, NaN, 3, NaN)), 4);
  assert.is(argmax(Float32Array.of(NaN, -Infinity)), 1);
  assert.is(argmax(new Float32Array(7).fill(NaN)), -1);
  assert.is(argmax(new Float32Array(0)), -1);
});

test("topK sorts any row, ties and NaN included, for every k", () => {
  const random = seededRandom(7);
  for (let n = 0; n <= 24; n++) {
    const rows = [
      gaussian(n, random),
      Float32Array.from({ length: n }, () => Math.floor(random() * 4) - 1),
      Float32Array.from({ length: n }, (_, i) => i - 10),
      Float32Array.from({ length: n }, (_, i) => -i),
      Float32Array.from({ length: n }, () => [NaN, -Infinity, -0, 0, Infinity][(random() * 5) | 0]),
    ];
    for (const x of rows) {
      for (let k = 0; k <= n; k++) assert.equal(topK(x, k, 4 * (k & 3)), order(x).slice(0, k));
    }
  }
});

test("topK of a vocabulary, up to all of it, in the worst order too", () => {
  const random = seededRandom(8);
  const x = gaussian(151936, random);
  const expected = order(x);
  for (const k of [1, 40, 1000, x.length]) assert.equal(topK(x, k), expected.slice(0, k));
  const ascending = Float32Array.from(x.keys());
  assert.equal(topK(ascending, 3), [151935, 151934, 151933]);
});

test.run();
