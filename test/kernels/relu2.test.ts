import { test } from "uvu";
import * as assert from "uvu/assert";
import { gaussian, seededRandom } from "../support/random.js";
import { Bench } from "./support/wasm.js";

const bench = await Bench.create();

function relu2(x: Float32Array, offset = 0): { y: Float32Array; active: number[] } {
  bench.reset();
  const xPtr = bench.put(x, offset);
  const activePtr = bench.region(x.length * 4, offset);
  const count = bench.kernels.relu2ActiveF32(xPtr, x.length, activePtr);
  bench.checkGuards();
  return { y: bench.f32(xPtr, x.length), active: [...bench.i32(activePtr, count)] };
}

// The square of an f32 rounds once, so that the result equals the reference's.
function check(x: Float32Array, offset = 0): void {
  const expected = x.map((value) => (value > 0 ? value * value : 0));
  const { y, active } = relu2(x, offset);
  assert.equal([...y], [...expected]);
  assert.equal(
    active,
    [...expected.keys()].filter((i) => expected[i] !== 0),
  );
}

test("squares, zeroes and lists at every length and at the model's", () => {
  const random = seededRandom(5);
  for (const n of [...Array(35).keys(), 8192]) {
    for (const offset of [0, 4]) check(gaussian(n, random), offset);
  }
});

test("nothing, everything, and results below the range of f32", () => {
  check(new Float32Array(13).fill(-1));
  check(new Float32Array(13).fill(2));
  check(new Float32Array(13));
  check(Float32Array.of(1e-30, -0, 1e-22, -Infinity, 1e-23, 1e30));
});

test("NaN stays NaN and is listed", () => {
  for (const i of [0, 3, 4, 5]) {
    const x = new Float32Array(6).fill(-1);
    x[i] = NaN;
    const { y, active } = relu2(x);
    assert.ok(Number.isNaN(y[i]));
    assert.equal(active, [i]);
  }
});

test.run();
