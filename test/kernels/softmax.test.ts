import { test } from "uvu";
import * as assert from "uvu/assert";
import { assertClose } from "../close.js";
import { gaussian, seededRandom } from "../random.js";
import { referenceSoftmax } from "../reference.js";
import { Bench } from "./wasm.js";

const bench = await Bench.create();

function softmax(x: Float32Array, offset = 0): Float32Array {
  bench.reset();
  const ptr = bench.put(x, offset);
  bench.kernels.softmaxF32(ptr, x.length);
  bench.checkGuards();
  return bench.f32(ptr, x.length);
}

// x - max rounds by 2^-24 |x - max|, which e^x turns into a relative error (with |x - max| < 2^k,
// 2^(k-24)); e^x by 1 ulp, the sum and the division by half of one each.
function check(x: Float32Array, spread: number, offset = 0): void {
  const rel = (spread + 6) * 2 ** -24;
  assertClose(softmax(x, offset), referenceSoftmax(x), { rel, abs: 2e-45 }, `n = ${x.length}`);
}

test("agrees with f64 at every length and at the vocabulary's", () => {
  const random = seededRandom(4);
  for (const n of [...Array(40).keys()].slice(1).concat(4096, 151936)) {
    check(gaussian(n, random), 256);
    check(gaussian(n, random), 256, 4);
  }
});

// The second element is e^x / (1 + e^x), so that x below -20 shows e^x itself.
test("e^x is within 1 ulp, down to 0 through the subnormals", () => {
  for (let x = -20; x > -110; x -= 0.0173) {
    const rounded = Math.fround(x);
    const expected = Math.exp(rounded) / (1 + Math.exp(rounded));
    const [one, actual] = softmax(Float32Array.of(0, rounded));
    assert.is(one, 1);
    const rel = 2 ** -23;
    assertClose([actual], [expected], { rel, abs: 2 ** -149 }, `e^${rounded}`);
  }
});

test("-inf and scores thousands below the largest get exactly 0", () => {
  const x = Float32Array.of(-Infinity, 0, -1e4, -3e38, 0, -200);
  assert.equal([...softmax(x)], [0, 0.5, 0, 0, 0.5, 0]);
  assert.equal([...softmax(Float32Array.of(3e38, -3e38))], [1, 0]);
});

test("equal scores share evenly", () => {
  for (const value of [0, -1e30, 1e30]) {
    assert.equal([...softmax(new Float32Array(8).fill(value))], Array(8).fill(0.125));
  }
  assert.equal([...softmax(Float32Array.of(-5))], [1]);
});

test("NaN is not hidden", () => {
  for (const n of [1, 4, 5]) {
    for (let i = 0; i < n; i++) {
      const x = new Float32Array(n);
      x[i] = NaN;
      assert.ok([...softmax(x)].every(Number.isNaN));
    }
  }
  assert.ok([...softmax(new Float32Array(6).fill(-Infinity))].every(Number.isNaN));
});

test.run();
