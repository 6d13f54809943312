/** Squared ReLU as pairs, and the products that skip the zeros. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { assertClose } from "../../support/close.js";
import { gaussian, seededRandom } from "../../support/random.js";
import { referenceDown, referenceRelu2, referenceRelu2Grad } from "../reference/relu2.js";
import { numericGradient, weightedSum } from "../support/differences.js";
import { normal } from "../support/normal.js";
import { packPairs, TrainingBench } from "../support/wasm.js";

const bench = await TrainingBench.create();

/** Column counts at the edges of the register tiles. */
const COLUMNS = [4, 8, 28, 32, 36, 60, 64, 160];

/** Some pairs of indices below n, ascending, with any values. */
function somePairs(n: number, random: () => number): [number, number][] {
  const values = normal(n, random);
  const pairs: [number, number][] = [];
  for (let i = 0; i < n; i++) if (random() < 0.4) pairs.push([i, values[i]]);
  return pairs;
}

test("the f64 gradient is that of finite differences", () => {
  const random = seededRandom(1);
  const [u, w, dy] = [normal(7, random), normal(7 * 5, random), normal(5, random)];
  const forward = (moved: Float64Array): number =>
    weightedSum(referenceDown(referenceRelu2(moved), w, 5), dy);
  const numeric = numericGradient(forward, u);
  assertClose(referenceRelu2Grad(u, w, dy), numeric, { rel: 1e-6, abs: 1e-9 });
});

test("relu2Pairs lists the positive elements' squares, ascending", () => {
  const random = seededRandom(2);
  for (const n of [...Array(19).keys(), 640]) {
    for (const u of [gaussian(n, random), new Float32Array(n), new Float32Array(n).fill(3)]) {
      bench.reset();
      const ptr = bench.region(n * 8, 4);
      const count = bench.kernels.relu2Pairs(ptr, bench.put(u, 4), n);
      const expected: [number, number][] = [];
      u.forEach((value, i) => {
        if (value > 0) expected.push([i, Math.fround(value * value)]);
      });
      assert.equal(bench.pairs(ptr, count), expected);
      bench.checkGuards();
    }
  }
});

test("relu2Pairs keeps NaN, which must not pass for 0", () => {
  bench.reset();
  const ptr = bench.region(24);
  const u = bench.put(Float32Array.of(-0, NaN, -Infinity));
  assert.is(bench.kernels.relu2Pairs(ptr, u, 3), 1);
  assert.equal(bench.pairs(ptr, 1), [[1, NaN]]);
});

test("sparseRows agrees with f64, overwriting and adding", () => {
  const random = seededRandom(3);
  for (const cols of COLUMNS) {
    for (const n of [0, 1, 5, 40]) {
      for (const accumulate of [0, 1]) {
        bench.reset();
        const pairs = somePairs(n, random);
        const [w, before] = [gaussian(n * cols, random), gaussian(cols, random)];
        const h = new Float64Array(n);
        for (const [index, value] of pairs) h[index] = value;
        const sizes = referenceDown(h.map(Math.abs), w.map(Math.abs), cols);
        const expected = referenceDown(h, w, cols).map((y, j) => y + accumulate * before[j]);
        const [y, list] = [bench.put(before, 4), bench.put(packPairs(pairs), 4)];
        bench.kernels.sparseRows(y, list, pairs.length, bench.put(w, 4), cols, accumulate);
        bench.f32(y, cols).forEach((value, j) => {
          const abs = 8 * 2 ** -24 * (sizes[j] + Math.abs(before[j]));
          assertClose([value], [expected[j]], { abs }, `cols ${cols}, n ${n}, ${j}`);
        });
        bench.checkGuards();
      }
    }
  }
});

test("relu2GradPairs agrees with f64 at every number of pairs, in place as well", () => {
  const random = seededRandom(4);
  for (const cols of COLUMNS) {
    for (let n = 0; n <= 13; n++) {
      bench.reset();
      const [u, dy] = [gaussian(n, random), gaussian(cols, random)];
      const w = gaussian(n * cols, random);
      const expected = referenceRelu2Grad(u, w, dy);
      const sizes = referenceRelu2Grad(u, w.map(Math.abs), dy.map(Math.abs));
      const [uPtr, dyPtr, wPtr] = [bench.put(u, 4), bench.put(dy, 4), bench.put(w, 4)];
      const pairs = bench.region(n * 8);
      const count = bench.kernels.relu2Pairs(pairs, uPtr, n);
      const to = bench.region(count * 8, 4);
      bench.kernels.relu2GradPairs(to, pairs, count, uPtr, dyPtr, wPtr, cols);
      const active = Array.from(u.keys()).filter((i) => u[i] > 0);
      const found = bench.pairs(to, count);
      assert.equal(
        found.map(([index]) => index),
        active,
      );
      for (const [index, value] of found) {
        const abs = 8 * 2 ** -24 * sizes[index];
        assertClose([value], [expected[index]], { abs }, `cols ${cols}, n ${n}, ${index}`);
      }
      bench.kernels.relu2GradPairs(pairs, pairs, count, uPtr, dyPtr, wPtr, cols);
      assert.equal(bench.pairs(pairs, count), found);
      bench.checkGuards();
    }
  }
});

test("transposePairs turns lists of tokens into lists of columns, in parts as in one", () => {
  const random = seededRandom(5);
  for (const [n, width] of [
    [1, 1],
    [3, 7],
    [20, 33],
  ]) {
    bench.reset();
    const lists = Array.from({ length: n }, () => somePairs(width, random));
    const room = new Uint32Array(n * width * 2).fill(0xffffffff);
    lists.forEach((list, token) => {
      room.set(packPairs(list), token * width * 2);
    });
    const counts = bench.put(Uint32Array.from(lists, (list) => list.length));
    const pairs = bench.put(room);
    const to = bench.region(n * width * 8);
    const toCounts = bench.put(new Uint32Array(width).fill(77));
    for (const [first, end] of [
      [0, width >> 2],
      [width >> 2, width],
    ]) {
      bench.kernels.transposePairs(to, toCounts, pairs, counts, n, width, first, end);
    }
    const found = bench.u32(toCounts, width);
    for (let column = 0; column < width; column++) {
      const expected: [number, number][] = [];
      lists.forEach((list, token) => {
        for (const [index, value] of list) if (index === column) expected.push([token, value]);
      });
      assert.equal(bench.pairs(to + column * n * 8, found[column]), expected);
    }
    bench.checkGuards();
  }
});

test.run();
