import { test } from "uvu";
import * as assert from "uvu/assert";
import { GEMM_SCRATCH_BYTES } from "../../../src/training/engine/kernels.js";
import { gaussian, seededRandom } from "../../support/random.js";
import { referenceProduct } from "../reference/products.js";
import { TrainingBench } from "../support/wasm.js";

const bench = await TrainingBench.create(32);

/** The layout of A in memory. */
interface Order {
  readonly name: string;
  /** Floats from a row, and from a column, to the next. */
  readonly strides: (m: number, k: number) => readonly [aRow: number, aCol: number];
}

const ORDERS: readonly Order[] = [
  { name: "rows", strides: (_, k) => [k, 1] },
  { name: "padded rows", strides: (_, k) => [k + 3, 1] },
  { name: "columns", strides: (m) => [1, m] },
  { name: "padded columns", strides: (m) => [1, m + 5] },
  { name: "every second float", strides: (_, k) => [2 * k, 2] },
];

interface Case {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly order: Order;
  /** Floats that the rows of B and C are longer than n. */
  readonly gap?: number;
  readonly accumulate?: boolean;
  readonly offset?: number;
}

function check(
  { m, n, k, order, gap = 0, accumulate = false, offset = 0 }: Case,
  random: () => number,
): void {
  bench.reset();
  const [aRow, aCol] = order.strides(m, k);
  const row = n + gap;
  const a = gaussian((m - 1) * aRow + (k - 1) * aCol + 1, random);
  const b = gaussian(k * row - gap, random);
  const before = gaussian(m * row - gap, random);
  const [aPtr, bPtr] = [bench.put(a, offset), bench.put(b, offset)];
  const cPtr = bench.put(before, offset);
  const shape = bench.gemmShape({ m, n, k, aRow, aCol, bRow: row, cRow: row, accumulate });
  bench.kernels.gemm(cPtr, aPtr, bPtr, shape, bench.region(GEMM_SCRATCH_BYTES));
  const c = bench.f32(cPtr, before.length);
  const atA = (i: number, l: number): number => a[i * aRow + l * aCol];
  const atB = (l: number, j: number): number => b[l * row + j];
  const sums = referenceProduct(atA, atB, [m, n, k]);
  const sizes = referenceProduct(atA, atB, [m, n, k], true);
  for (let i = 0; i < before.length; i++) {
    const [r, j] = [Math.floor(i / row), i % row];
    const what = `${order.name} ${m} x ${n} x ${k}, element ${r}, ${j}`;
    if (j >= n) {
      assert.is(c[i], before[i], `between the rows: ${what}`);
      continue;
    }
    const old = accumulate ? before[i] : 0;
    // A rounding of each product and addition, none of more than the sum of the magnitudes; that
    // they all are at once does not happen.
    const most = (4 + Math.sqrt(k)) * 2 ** -24 * (sizes[r * n + j] + Math.abs(old));
    assert.ok(Math.abs(c[i] - (old + sums[r * n + j])) <= most, what);
  }
  bench.checkGuards();
}

test("agrees with f64 at all small sizes, in every order of A", () => {
  const random = seededRandom(1);
  for (const order of ORDERS) {
    for (const m of [1, 2, 3, 4, 5, 7, 8, 9]) {
      for (const n of [4, 8, 12, 16]) {
        for (const k of [1, 2, 3, 4, 5, 8, 9]) {
          check({ m, n, k, order, accumulate: (m + k) % 2 === 1 }, random);
        }
      }
    }
  }
});

test("agrees with f64 where rows and depth take several blocks, at gaps and odd addresses", () => {
  const random = seededRandom(2);
  for (const order of ORDERS) {
    for (const [m, n, k] of [
      [63, 12, 255],
      [64, 8, 256],
      [65, 20, 257],
      [130, 36, 515],
    ]) {
      check({ m, n, k, order, accumulate: true }, random);
      check({ m, n, k, order, gap: 3, offset: 4 }, random);
    }
  }
});

test("a part of C, computed by itself, is the same to the last bit", () => {
  bench.reset();
  const random = seededRandom(3);
  const [m, n, k] = [70, 44, 300];
  const [aPtr, bPtr] = [bench.put(gaussian(m * k, random)), bench.put(gaussian(k * n, random))];
  const before = gaussian(m * n, random);
  const [whole, parts] = [bench.put(before), bench.put(before)];
  const scratch = bench.region(GEMM_SCRATCH_BYTES);
  const strides = { aRow: k, aCol: 1, bRow: n, cRow: n, accumulate: true };
  bench.kernels.gemm(whole, aPtr, bPtr, bench.gemmShape({ m, n, k, ...strides }), scratch);
  for (const [firstRow, endRow] of [
    [0, 3],
    [3, 70],
  ]) {
    for (const [firstCol, endCol] of [
      [0, 4],
      [4, 12],
      [12, 44],
    ]) {
      const at = (firstRow * n + firstCol) * 4;
      const size = { m: endRow - firstRow, n: endCol - firstCol, k };
      const shape = bench.gemmShape({ ...size, ...strides });
      const a = aPtr + firstRow * k * 4;
      bench.kernels.gemm(parts + at, a, bPtr + firstCol * 4, shape, scratch);
    }
  }
  assert.equal(bench.f32(parts, m * n), bench.f32(whole, m * n));
  bench.checkGuards();
});

test("reads nothing past its matrices, which may end where memory does", () => {
  const random = seededRandom(5);
  const [n, k] = [12, 6];
  for (const m of [1, 2, 3, 5, 8]) {
    for (const { strides } of ORDERS) {
      bench.reset();
      const [aRow, aCol] = strides(m, k);
      const a = gaussian((m - 1) * aRow + (k - 1) * aCol + 1, random);
      const b = gaussian(k * n, random);
      const end = bench.memory.buffer.byteLength;
      const scratch = bench.region(GEMM_SCRATCH_BYTES);
      const strided = { aRow, aCol, bRow: n, cRow: n, accumulate: false };
      const shape = bench.gemmShape({ m, n, k, ...strided });
      const results = [bench.region(m * n * 4), bench.region(m * n * 4)];
      const [inside, atEnd] = [bench.put(a), end - a.byteLength];
      new Float32Array(bench.memory.buffer, atEnd).set(a);
      bench.kernels.gemm(results[0], atEnd, bench.put(b), shape, scratch);
      new Float32Array(bench.memory.buffer, end - b.byteLength).set(b);
      bench.kernels.gemm(results[1], inside, end - b.byteLength, shape, scratch);
      assert.equal(bench.f32(results[0], m * n), bench.f32(results[1], m * n));
    }
  }
});

test("transpose moves every element, at all small sizes and across blocks", () => {
  const random = seededRandom(4);
  const sizes = [1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 19, 33];
  for (const rows of sizes) {
    for (const cols of sizes) {
      for (const offset of [0, 4]) {
        bench.reset();
        const from = gaussian(rows * cols, random);
        const toPtr = bench.region(rows * cols * 4, offset);
        bench.kernels.transpose(toPtr, bench.put(from, offset), rows, cols);
        const expected = from.map((_, i) => from[(i % rows) * cols + Math.floor(i / rows)]);
        assert.equal(bench.f32(toPtr, rows * cols), expected);
        bench.checkGuards();
      }
    }
  }
});

test.run();
