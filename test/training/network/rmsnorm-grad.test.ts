import { test } from "uvu";
import * as assert from "uvu/assert";
import { assertClose } from "../../support/close.js";
import { gaussian, seededRandom } from "../../support/random.js";
import { referenceRmsnorm } from "../../support/reference.js";
import { referenceRmsnormGrad } from "../reference/norm.js";
import { numericGradient, weightedSum } from "../support/differences.js";
import { normal } from "../support/normal.js";
import { TrainingBench } from "../support/wasm.js";

const EPS = Math.fround(1e-6);

const bench = await TrainingBench.create();

test("the f64 gradients are those of finite differences", () => {
  const random = seededRandom(1);
  for (const n of [1, 2, 5, 16]) {
    const [x, gain, dy] = [normal(n, random), normal(n, random), normal(n, random)];
    // Any single number is normed to 1, except for eps: a large eps shows its gradient.
    const eps = n === 1 ? 0.5 : EPS;
    const { dx, dgain } = referenceRmsnormGrad(x, gain, dy, eps);
    const inX = numericGradient((moved) => weightedSum(referenceRmsnorm(moved, gain, eps), dy), x);
    const inGain = numericGradient(
      (moved) => weightedSum(referenceRmsnorm(x, moved, eps), dy),
      gain,
    );
    assertClose(dx, inX, { rel: 1e-6, abs: 1e-8 }, `dx, n ${n}`);
    assertClose(dgain, inGain, { rel: 1e-6, abs: 1e-8 }, `dgain, n ${n}`);
  }
});

test("agrees with the f64 gradients at every length, several rows and offsets", () => {
  const random = seededRandom(2);
  for (const n of [...Array(18).keys()].slice(1).concat(64, 160)) {
    for (const [rows, offset] of [
      [1, 0],
      [3, 4],
    ]) {
      bench.reset();
      const [x, dy] = [gaussian(rows * n, random), gaussian(rows * n, random)];
      const [gain, before] = [gaussian(n, random), gaussian(rows * n, random)];
      const expected: number[] = [];
      const sizes: number[] = [];
      for (let r = 0; r < rows; r++) {
        const part = [r * n, (r + 1) * n];
        const rowX = x.subarray(...part);
        const rowDy = dy.subarray(...part);
        const { dx } = referenceRmsnormGrad(rowX, gain, rowDy, EPS);
        const scale = 1 / Math.sqrt(weightedSum(rowX, rowX) / n + EPS);
        const largest = Math.max(...rowDy.map((value, i) => Math.abs(value * gain[i])));
        for (let i = 0; i < n; i++) {
          const old = before[r * n + i];
          expected.push(old + dx[i]);
          sizes.push(Math.abs(old) + 2 * scale * largest * (1 + Math.abs(rowX[i] * scale)));
        }
      }
      const [xPtr, gainPtr] = [bench.put(x, offset), bench.put(gain, offset)];
      const [dxPtr, dyPtr] = [bench.put(before, offset), bench.put(dy, offset)];
      bench.kernels.rmsnormGrad(dxPtr, xPtr, gainPtr, dyPtr, rows, n, EPS);
      const dx = bench.f32(dxPtr, rows * n);
      for (let i = 0; i < dx.length; i++) {
        const what = `rows ${rows}, n ${n}, element ${i}`;
        assertClose([dx[i]], [expected[i]], { abs: 6 * 2 ** -24 * sizes[i] }, what);
      }
      bench.checkGuards();
    }
  }
});

test("the gain's gradient is summed over rows, in parts as in one", () => {
  const random = seededRandom(3);
  for (const [rows, cols, first, end] of [
    [1, 1, 0, 1],
    [5, 7, 2, 7],
    [40, 33, 0, 33],
    [40, 33, 3, 16],
  ]) {
    bench.reset();
    const [x, dy] = [gaussian(rows * cols, random), gaussian(rows * cols, random)];
    const before = gaussian(cols, random);
    const expected = Float64Array.from(before);
    const sizes = Float64Array.from(before, Math.abs);
    const gain = new Float64Array(cols).fill(1);
    for (let r = 0; r < rows; r++) {
      const part = [r * cols, (r + 1) * cols];
      const { dgain } = referenceRmsnormGrad(x.subarray(...part), gain, dy.subarray(...part), EPS);
      for (let i = first; i < end; i++) {
        expected[i] += dgain[i];
        sizes[i] += Math.abs(dgain[i]);
      }
    }
    const [whole, parts] = [bench.put(before), bench.put(before)];
    const [xPtr, dyPtr] = [bench.put(x), bench.put(dy)];
    const { rmsnormGainGrad } = bench.kernels;
    rmsnormGainGrad(whole, xPtr, dyPtr, rows, cols, first, end, EPS);
    const actual = bench.f32(whole, cols);
    for (let i = 0; i < cols; i++) {
      assertClose([actual[i]], [expected[i]], { abs: 8 * 2 ** -24 * sizes[i] }, `dgain[${i}]`);
    }
    const middle = (first + end) >> 1;
    rmsnormGainGrad(parts, xPtr, dyPtr, rows, cols, first, middle, EPS);
    rmsnormGainGrad(parts, xPtr, dyPtr, rows, cols, middle, end, EPS);
    assert.equal(bench.f32(parts, cols), actual);
    bench.checkGuards();
  }
});

test.run();
