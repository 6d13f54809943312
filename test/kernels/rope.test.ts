import { test } from "uvu";
import { assertClose } from "../support/close.js";
import { gaussian, seededRandom } from "../support/random.js";
import { referenceRope } from "../support/reference.js";
import { Bench } from "./support/wasm.js";

const bench = await Bench.create();

/** cos and sin of position * theta^(-2i/n), interleaved. */
function ropeTable(position: number, n: number, theta = 100000): Float32Array {
  const table = new Float32Array(n);
  for (let i = 0; i < n; i += 2) {
    const angle = position * theta ** (-i / n);
    table[i] = Math.cos(angle);
    table[i + 1] = Math.sin(angle);
  }
  return table;
}

test("rotates each head's pairs, and nothing between the heads", () => {
  const random = seededRandom(2);
  for (let n = 0; n <= 66; n += 2) {
    for (const [heads, gap, offset] of [
      [1, 0, 0],
      [3, 5, 4],
      [16, 128, 0],
    ]) {
      bench.reset();
      const stride = n + gap;
      const x = gaussian(Math.max(0, heads * stride - gap), random);
      const table = ropeTable(4095, n);
      const expected = Array.from(x);
      const size = Array<number>(x.length).fill(0);
      for (let h = 0; h < heads; h++) {
        const head = x.subarray(h * stride, h * stride + n);
        expected.splice(h * stride, n, ...referenceRope(head, table));
        for (let i = 0; i < n; i++) size[h * stride + i] = Math.hypot(head[i & ~1], head[i | 1]);
      }
      const xPtr = bench.put(x, offset);
      bench.kernels.ropeF32(xPtr, bench.put(table, offset), heads, stride, n);
      const y = bench.f32(xPtr, x.length);
      // Two products and a sum round by 2^-24 each, relative to the length of the pair.
      for (let i = 0; i < x.length; i++) {
        assertClose([y[i]], [expected[i]], { abs: 3 * 2 ** -24 * size[i] }, `n ${n}, element ${i}`);
      }
      bench.checkGuards();
    }
  }
});

test("position 0 changes nothing", () => {
  bench.reset();
  const x = gaussian(64, seededRandom(3));
  const xPtr = bench.put(x);
  bench.kernels.ropeF32(xPtr, bench.put(ropeTable(0, 64)), 1, 64, 64);
  assertClose(bench.f32(xPtr, 64), x, {});
});

test("a quarter turn takes (1, 0) to (0, 1) and (0, 1) to (-1, 0)", () => {
  bench.reset();
  const xPtr = bench.put(Float32Array.of(1, 0, 0, 1, 1, 0));
  bench.kernels.ropeF32(xPtr, bench.put(Float32Array.of(0, 1, 0, 1, 0, 1)), 1, 6, 6);
  assertClose(bench.f32(xPtr, 6), [0, 1, -1, 0, 0, 1], {});
});

test.run();
