import { test } from "uvu";
import * as assert from "uvu/assert";
import { PlmError } from "../../../src/errors.js";
import {
  loadTrainingKernels,
  trainingKernelsBytes,
} from "../../../src/training/engine/load-kernels.js";

test("the kernels compute over a memory, shared or not, and so does their module", async () => {
  for (const shared of [false, true]) {
    const memory = new WebAssembly.Memory({ initial: 2, maximum: 2, shared });
    const { kernels, module } = await loadTrainingKernels(memory);
    const values = new Float32Array(memory.buffer, 65536, 3);
    values.set([1, 2, 3]);
    assert.is(kernels.sumSquares(65536, 3), 14);
    const again = await loadTrainingKernels(memory, module);
    again.kernels.addF32(65536, 65536 + 4, 1);
    assert.equal([...values], [3, 2, 3]);
  }
});

test("the package's own bytes may be handed over", async () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const { kernels } = await loadTrainingKernels(memory, trainingKernelsBytes());
  assert.is(kernels.sumSquares(0, 0), 0);
});

test("a binary that the runtime refuses is UNSUPPORTED_RUNTIME", async () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  try {
    await loadTrainingKernels(memory, trainingKernelsBytes().slice(0, 100));
    assert.unreachable();
  } catch (error) {
    assert.instance(error, PlmError);
    assert.is((error as PlmError).code, "UNSUPPORTED_RUNTIME");
  }
});

test.run();
