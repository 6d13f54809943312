/** Cases of the kernels that work element by element. */
import * as assert from "uvu/assert";
import { assertClose } from "../test/support/close.js";
import { gaussian, seededRandom } from "../test/support/random.js";
import { referenceRmsnorm, referenceRope } from "../test/support/reference.js";
import type { Case } from "./workspace.js";

const HIDDEN_SIZE = 2048;
const INTERMEDIATE_SIZE = 8192;

/** A case that counts elements. */
function elementCase(name: string, amount: number, prepare: Case["prepare"]): Case {
  return { name, amount, unit: "element", prepare };
}

function rmsnormCase(rows: number): Case {
  const n = HIDDEN_SIZE;
  return elementCase(`rmsnormF32 ${rows}x${n}`, rows * n, ({ bench }) => {
    const random = seededRandom(10);
    const [x, weight] = [gaussian(rows * n, random), gaussian(n, random)];
    const [xPtr, weightPtr, yPtr] = [bench.put(x), bench.put(weight), bench.region(rows * n * 4)];
    const run = (): void => bench.kernels.rmsnormF32(yPtr, xPtr, weightPtr, rows, n, 1e-6);
    return {
      run,
      check() {
        run();
        for (let r = 0; r < rows; r++) {
          const expected = referenceRmsnorm(x.subarray(r * n, (r + 1) * n), weight, 1e-6);
          // The scale rounds once, its products twice.
          assertClose(bench.f32(yPtr + r * n * 4, n), expected, { rel: 2 ** -22, abs: 1e-37 });
        }
      },
    };
  });
}

/** The rope part of every head's query. */
function ropeCase(): Case {
  const [heads, stride, n] = [16, 192, 64];
  return elementCase(`ropeF32 ${heads} heads x ${n}`, heads * n, ({ bench }) => {
    const x = gaussian(heads * stride, seededRandom(11));
    const table = Float32Array.from({ length: n }, (_, i) =>
      i % 2 === 0 ? Math.cos(i) : Math.sin(i - 1),
    );
    const [xPtr, tablePtr] = [bench.put(x), bench.put(table)];
    const run = (): void => bench.kernels.ropeF32(xPtr, tablePtr, heads, stride, n);
    return {
      run,
      check() {
        run();
        for (let h = 0; h < heads; h++) {
          const head = x.subarray(h * stride, h * stride + n);
          const abs = Math.max(...head.map(Math.abs)) * 2 ** -22;
          assertClose(bench.f32(xPtr + h * stride * 4, n), referenceRope(head, table), { abs });
        }
      },
    };
  });
}

/** Timed on zeros and ones, 9 % of them ones, which squaring does not change. */
function relu2Case(): Case {
  const n = INTERMEDIATE_SIZE;
  return elementCase(`relu2ActiveF32 ${n}, 9 % active`, n, ({ bench }) => {
    const random = seededRandom(13);
    const x = gaussian(n, random).map((value) => (random() < 0.09 ? 1 : -1) * Math.abs(value));
    const [xPtr, activePtr] = [bench.put(x), bench.region(n * 4)];
    const run = (): number => bench.kernels.relu2ActiveF32(xPtr, n, activePtr);
    return {
      run,
      check() {
        const count = run();
        const expected = x.map((value) => (value > 0 ? value * value : 0));
        const active = [...expected.keys()].filter((i) => expected[i] !== 0);
        assert.equal([...bench.i32(activePtr, count)], active);
        assertClose(bench.f32(xPtr, n), expected, {});
        new Float32Array(bench.memory.buffer, xPtr, n).set(expected.map(Math.sign));
      },
    };
  });
}

/** The residual sum, of a large and a much smaller vector so that it stays finite for long. */
function addCase(): Case {
  const n = HIDDEN_SIZE;
  return elementCase(`addF32 ${n}`, n, ({ bench }) => {
    const random = seededRandom(14);
    const [x, y] = [gaussian(n, random), gaussian(n, random, 1e-6)];
    const [xPtr, yPtr] = [bench.put(x), bench.put(y)];
    const run = (): void => bench.kernels.addF32(xPtr, yPtr, n);
    return {
      run,
      check() {
        run();
        const expected = x.map((value, i) => value + y[i]);
        assertClose(bench.f32(xPtr, n), expected, {});
      },
    };
  });
}

/** All cases of this file. */
export const ELEMENT_CASES: readonly Case[] = [
  ...[rmsnormCase(1), rmsnormCase(128), ropeCase(), addCase(), relu2Case()],
];
