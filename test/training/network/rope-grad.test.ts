import { test } from "uvu";
import { assertClose } from "../../support/close.js";
import { gaussian, seededRandom } from "../../support/random.js";
import { referenceRope } from "../../support/reference.js";
import { referenceRopeGrad } from "../reference/norm.js";
import { numericGradient, weightedSum } from "../support/differences.js";
import { normal } from "../support/normal.js";
import { TrainingBench } from "../support/wasm.js";

const bench = await TrainingBench.create();

/** cos and sin of some angles, interleaved. */
function anyTable(n: number, random: () => number): Float32Array {
  const table = new Float32Array(n);
  for (let i = 0; i < n; i += 2) {
    const angle = 2 * Math.PI * random();
    table[i] = Math.cos(angle);
    table[i + 1] = Math.sin(angle);
  }
  return table;
}

test("the f64 gradient is that of finite differences", () => {
  const random = seededRandom(1);
  const [x, dy, table] = [normal(8, random), normal(8, random), anyTable(8, random)];
  const numeric = numericGradient((moved) => weightedSum(referenceRope(moved, table), dy), x);
  assertClose(referenceRopeGrad(dy, table), numeric, { rel: 1e-7, abs: 1e-9 });
});

test("agrees with the f64 gradient in each head, and leaves what is between them", () => {
  const random = seededRandom(2);
  for (let n = 0; n <= 34; n += 2) {
    for (const [heads, gap, offset] of [
      [1, 0, 0],
      [3, 5, 4],
    ]) {
      bench.reset();
      const stride = n + gap;
      const dy = gaussian(Math.max(0, heads * stride - gap), random);
      const table = anyTable(n, random);
      const expected = Array.from(dy);
      const sizes = Array<number>(dy.length).fill(0);
      for (let h = 0; h < heads; h++) {
        const head = dy.subarray(h * stride, h * stride + n);
        expected.splice(h * stride, n, ...referenceRopeGrad(head, table));
        for (let i = 0; i < n; i++) sizes[h * stride + i] = Math.hypot(head[i & ~1], head[i | 1]);
      }
      const ptr = bench.put(dy, offset);
      bench.kernels.ropeGrad(ptr, bench.put(table, offset), heads, stride, n);
      const dx = bench.f32(ptr, dy.length);
      for (let i = 0; i < dx.length; i++) {
        assertClose([dx[i]], [expected[i]], { abs: 3 * 2 ** -24 * sizes[i] }, `n ${n}, ${i}`);
      }
      bench.checkGuards();
    }
  }
});

test.run();
