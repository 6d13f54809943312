import { test } from "uvu";
import * as assert from "uvu/assert";
import { assertClose } from "../../support/close.js";
import { gaussian, seededRandom } from "../../support/random.js";
import { TrainingBench } from "../support/wasm.js";

const bench = await TrainingBench.create();

test("gatherRows copies the rows that ids name", () => {
  const random = seededRandom(1);
  for (const [n, cols] of [
    [0, 4],
    [1, 1],
    [5, 7],
    [9, 64],
  ]) {
    bench.reset();
    const table = gaussian(6 * cols, random);
    const ids = Uint32Array.from({ length: n }, () => Math.floor(random() * 6));
    const x = bench.region(n * cols * 4, 4);
    bench.kernels.gatherRows(x, bench.put(table, 4), bench.put(ids), n, cols);
    const expected = Array.from(ids, (id) => [...table.subarray(id * cols, (id + 1) * cols)]);
    assert.equal([...bench.f32(x, n * cols)], expected.flat());
    bench.checkGuards();
  }
});

test("scatterAddRows adds to the rows that ids name, repeated ones too, in parts as in one", () => {
  const random = seededRandom(2);
  for (const cols of [1, 4, 7, 33]) {
    bench.reset();
    const n = 40;
    const [before, dx] = [gaussian(6 * cols, random), gaussian(n * cols, random)];
    const ids = Uint32Array.from({ length: n }, () => Math.floor(random() * 5));
    const expected = Float64Array.from(before);
    const sizes = Float64Array.from(before, Math.abs);
    for (let i = 0; i < n * cols; i++) {
      const at = ids[Math.floor(i / cols)] * cols + (i % cols);
      expected[at] += dx[i];
      sizes[at] += Math.abs(dx[i]);
    }
    const [whole, parts] = [bench.put(before, 4), bench.put(before)];
    const [idsPtr, dxPtr] = [bench.put(ids), bench.put(dx, 4)];
    bench.kernels.scatterAddRows(whole, idsPtr, dxPtr, n, cols, 0, cols);
    const found = bench.f32(whole, before.length);
    found.forEach((value, i) => {
      assertClose([value], [expected[i]], { abs: 8 * 2 ** -24 * sizes[i] }, `cols ${cols}, ${i}`);
    });
    for (const [first, end] of [
      [0, cols >> 1],
      [cols >> 1, cols],
    ]) {
      bench.kernels.scatterAddRows(parts, idsPtr, dxPtr, n, cols, first, end);
    }
    assert.equal(bench.f32(parts, before.length), found);
    bench.checkGuards();
  }
});

test.run();
