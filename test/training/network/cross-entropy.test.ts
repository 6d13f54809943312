import { test } from "uvu";
import * as assert from "uvu/assert";
import { NO_TARGET } from "../../../src/training/engine/kernels.js";
import { assertClose } from "../../support/close.js";
import { gaussian, seededRandom } from "../../support/random.js";
import { referenceLoss, referenceLossGrad } from "../reference/cross-entropy.js";
import { numericGradient } from "../support/differences.js";
import { normal } from "../support/normal.js";
import { TrainingBench } from "../support/wasm.js";

const bench = await TrainingBench.create();

test("the f64 gradient is that of finite differences", () => {
  const random = seededRandom(1);
  for (const n of [1, 2, 9]) {
    const logits = normal(n, random, 3);
    const target = Math.floor(random() * n);
    const numeric = numericGradient((moved) => referenceLoss(moved, target), logits);
    assertClose(referenceLossGrad(logits, target), numeric, { rel: 1e-6, abs: 1e-9 });
  }
});

test("agrees with f64 at every length; rows without a target give 0", () => {
  const random = seededRandom(2);
  for (const cols of [...Array(18).keys()].slice(1).concat(500, 2048)) {
    bench.reset();
    const rows = 4;
    const scale = Math.fround(1 / 37);
    const logits = gaussian(rows * cols, random, 2);
    const targets = Uint32Array.from({ length: rows }, () => Math.floor(random() * cols));
    targets[2] = NO_TARGET;
    const ptr = bench.put(logits, 4);
    const losses = bench.put(new Float64Array(rows).fill(-1));
    bench.kernels.crossEntropy(ptr, bench.put(targets), rows, cols, scale, losses);
    const found = bench.f64(losses, rows);
    const grads = bench.f32(ptr, rows * cols);
    for (let r = 0; r < rows; r++) {
      const row = logits.subarray(r * cols, (r + 1) * cols);
      const hasTarget = targets[r] !== NO_TARGET;
      const expected = hasTarget ? referenceLossGrad(row, targets[r]) : Array(cols).fill(0);
      const loss = hasTarget ? referenceLoss(row, targets[r]) : 0;
      const largest = Math.max(...row.map(Math.abs));
      assertClose([found[r]], [loss], { abs: 2 ** -22 * (1 + largest) }, `loss, cols ${cols}`);
      const scaled = expected.map((value) => value * scale);
      const abs = 2 ** -22 * (1 + largest) * scale;
      assertClose(grads.subarray(r * cols, (r + 1) * cols), scaled, { abs }, `cols ${cols}`);
    }
    assert.ok(grads.subarray(2 * cols, 3 * cols).every((value) => Object.is(value, 0)));
    bench.checkGuards();
  }
});

test("large logits do not overflow, and one that is not finite makes the loss NaN", () => {
  for (const [logits, target, loss] of [
    [[1e30, -1e30, 0, 5, 1e30], 0, Math.log(2)],
    [[300, 200], 1, 100],
    [[1, 2, NaN, 3, 4], 0, NaN],
    [[1, NaN], 0, NaN],
    [[Infinity, 1, 2, 3], 1, NaN],
  ] as const) {
    bench.reset();
    const ptr = bench.put(Float32Array.from(logits));
    const losses = bench.region(8);
    const targets = bench.put(Uint32Array.of(target));
    bench.kernels.crossEntropy(ptr, targets, 1, logits.length, 1, losses);
    const [found] = bench.f64(losses, 1);
    if (Number.isNaN(loss)) assert.ok(Number.isNaN(found));
    else assertClose([found], [loss], { rel: 1e-6 });
  }
});

test.run();
