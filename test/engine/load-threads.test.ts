import { test } from "uvu";
import * as assert from "uvu/assert";
import platform from "#platform";
import { planModel } from "../../src/engine/plan.js";
import { stagingOf } from "../../src/engine/thread.js";
import { openGguf } from "../../src/format/gguf.js";
import { chooseKernels } from "../../src/kernels/choose-kernels.js";
import { loadKernels } from "../../src/kernels/load.js";
import { ThreadStarter } from "../../src/kernels/start-threads.js";
import { LoadReport } from "../../src/loading/progress.js";
import { type ReadOptions, readWeights } from "../../src/loading/read-weights.js";
import { eachWeight } from "../../src/model/weights.js";
import { type ModelSource, openSources } from "../../src/sources/source.js";
import { assertRejects, rejection } from "../model/support/engine.js";
import { ObservedSource } from "../model/support/observed-source.js";
import { claimProcessors } from "../model/support/processors.js";
import {
  K_DIMS,
  ODD_DIMS,
  SMALL_DIMS,
  type TinyOptions,
  tinyModel,
} from "../model/support/tiny.js";

// More threads than the machine may have processors.
let unclaim: () => void;
test.before(() => {
  unclaim = claimProcessors(16);
});
test.after(() => unclaim());

/** A file's packed weights, loaded on that many threads. */
async function packedWeights(
  source: ModelSource,
  threads: number,
  options: ReadOptions = {},
): Promise<Uint8Array> {
  const gguf = await openGguf(await openSources(source));
  const plan = planModel(gguf, { threads });
  const memory = plan.memory.allocate(true);
  const { kernels, module, reading } = await loadKernels(memory);
  const { config, weights, buffers, meeting, batch, windowPtr } = plan;
  const { cacheType } = plan.options;
  const types = new Set(Array.from(eachWeight(weights), ({ type }) => type));
  const choice = chooseKernels(kernels, memory, buffers.x, types);
  const data = { config, weights, buffers, meeting, batch, windowPtr };
  const model = { ...data, cacheType, choice, reading };
  const starter = new ThreadStarter({
    memory,
    teamPtr: meeting.team,
    startThread: (index) => platform.startThread({ module, memory, model, index }),
  });
  const helpers = await starter.start(threads - 1);
  assert.is(helpers.length, threads - 1);
  try {
    const count = Promise.resolve(helpers.length);
    await readWeights(
      gguf,
      weights,
      { kernels, memory, ...stagingOf(plan), helpers: count },
      options,
    );
    const { ptr } = plan.memory.regions[0];
    return new Uint8Array(memory.buffer).slice(ptr, ptr + plan.memory.bytes("weights"));
  } finally {
    starter.end();
  }
}

/** Most tensors take several chunks. */
const LARGE: TinyOptions = {
  dims: { ...ODD_DIMS, numHiddenLayers: 1, hiddenSize: 640, intermediateSize: 2560 },
};

const CASES: readonly TinyOptions[] = [
  LARGE,
  { dims: { ...LARGE.dims!, intermediateSize: 6400 }, type: "Q8_0" },
  { dims: { ...SMALL_DIMS, qkNopeHeadDim: 32 }, type: "Q4_0", splitKvB: true },
  { dims: K_DIMS, type: "Q6_K" },
];

test("threads pack what one thread packs, byte for byte", async () => {
  for (const options of CASES) {
    const file = tinyModel(options);
    const expected = await packedWeights(file, 1);
    for (const threads of [2, 4]) {
      // Reads at once, or a turn later, so that threads wait.
      for (const source of [file, new ObservedSource(file)]) {
        const actual = await packedWeights(source, threads);
        assert.ok(Buffer.compare(actual, expected) === 0, `${options.type}, ${threads} threads`);
      }
    }
  }
});

test("progress follows the order of the file, whichever thread packs", async () => {
  const before: number[] = [];
  const file = tinyModel(LARGE);
  let total = 0;
  const { tensors } = await openGguf(await openSources(file));
  for (const { byteLength } of tensors.values()) total += byteLength;
  const report = new LoadReport(total, ({ loadedBytes, totalBytes }) => {
    assert.is(totalBytes, total);
    assert.ok(loadedBytes > (before.at(-1) ?? 0));
    before.push(loadedBytes);
  });
  await packedWeights(file, 3, { report });
  assert.is(before.at(-1), total);
});

test("several bad weights: the error names the first in the file", async () => {
  const file = tinyModel(LARGE);
  const { tensors } = await openGguf(await openSources(file));
  const view = new DataView(file.buffer);
  for (const name of ["blk.0.ffn_down.weight", "blk.0.ffn_up.weight"]) {
    const { offset, byteLength } = tensors.get(name)!;
    view.setUint32(offset + byteLength - 4, 0x7fc00000, true);
    const first = [...tensors.values()].sort((a, b) => a.offset - b.offset);
    const bad = first.find(({ offset: at, byteLength: n }) =>
      Number.isNaN(view.getFloat32(at + n - 4, true)),
    )!;
    for (const threads of [1, 2, 4]) {
      await assertRejects(packedWeights(file, threads), "INVALID_FILE", bad.name, "finite");
    }
  }
});

test("a read's error or an abort ends loading on all threads", async () => {
  const file = tinyModel(LARGE);
  for (const threads of [2, 4]) {
    const failure = new Error("the cable is out");
    const failing = new ObservedSource(file);
    failing.onRead = () => {
      if (failing.reads === 9) throw failure;
    };
    assert.is(await rejection(packedWeights(failing, threads)), failure);
    const controller = new AbortController();
    const aborted = new ObservedSource(file);
    aborted.onRead = () => {
      if (aborted.reads === 9) controller.abort(failure);
    };
    const { signal } = controller;
    assert.is(await rejection(packedWeights(aborted, threads, { signal })), failure);
    assert.equal([failing.pending, aborted.pending, aborted.reads], [0, 0, 9]);
  }
});

test.run();
