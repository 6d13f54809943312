import { test } from "uvu";
import { assertClose } from "../support/close.js";
import { gaussian, seededRandom } from "../support/random.js";
import { referenceRmsnorm } from "../support/reference.js";
import { Bench } from "./support/wasm.js";

// Three roundings of 2^-24 each: the scale, its product with x, the product with the weight.
const REL = 4 * 2 ** -24;

const bench = await Bench.create();

function check(x: Float32Array, weight: Float32Array, rows: number, eps: number, offset = 0): void {
  bench.reset();
  const n = weight.length;
  const expected: number[] = [];
  for (let r = 0; r < rows; r++) {
    expected.push(...referenceRmsnorm(x.subarray(r * n, (r + 1) * n), weight, Math.fround(eps)));
  }
  const xPtr = bench.put(x, offset);
  const weightPtr = bench.put(weight, offset);
  const yPtr = bench.region(x.byteLength, offset);
  bench.kernels.rmsnormF32(yPtr, xPtr, weightPtr, rows, n, eps);
  assertClose(bench.f32(yPtr, x.length), expected, { rel: REL, abs: 1e-44 }, `n = ${n}`);
  assertClose(bench.f32(xPtr, x.length), x, {}, "x unchanged");
  bench.kernels.rmsnormF32(xPtr, xPtr, weightPtr, rows, n, eps);
  assertClose(bench.f32(xPtr, x.length), expected, { rel: REL, abs: 1e-44 }, `in place, n = ${n}`);
  bench.checkGuards();
}

test("agrees with f64 at every length, several rows and offsets", () => {
  const random = seededRandom(1);
  for (const n of [...Array(33).keys(), 512, 2048]) {
    for (const rows of [1, 3]) {
      for (const offset of [0, 4]) {
        check(gaussian(rows * n, random), gaussian(n, random), rows, 1e-6, offset);
      }
    }
  }
});

test("keeps a sum of squares that f32 could not", () => {
  const n = 2048;
  const weight = new Float32Array(n).fill(1);
  check(new Float32Array(n).fill(1e30), weight, 1, 1e-6);
  check(new Float32Array(n).fill(1e-30), weight, 1, 1e-6);
  // 1 + 2047 * 1e-8: each small square is lost if it is added to the large one in f32.
  const small = new Float32Array(n).fill(1e-4);
  small[0] = 1;
  check(small, weight, 1, 0);
});

test("zeros stay zero", () => {
  check(new Float32Array(64), new Float32Array(64).fill(3), 1, 1e-6);
});

test.run();
