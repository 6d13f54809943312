/** Which memory loading and evaluating write to. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { CACHE_TYPES } from "../../src/cache/rows.js";
import { Engine } from "../../src/engine/engine.js";
import { LoadedPlm } from "../../src/engine/load.js";
import type { ModelOptions } from "../../src/engine/options.js";
import { planModel } from "../../src/engine/plan.js";
import { createThreadPart, stagingOf } from "../../src/engine/thread.js";
import { PlmError } from "../../src/errors.js";
import type { TensorType } from "../../src/format/dtypes.js";
import { openGguf } from "../../src/format/gguf.js";
import { chooseKernels } from "../../src/kernels/choose-kernels.js";
import { loadKernels } from "../../src/kernels/load.js";
import { TEAM_BYTES } from "../../src/kernels/team.js";
import { LoadReport } from "../../src/loading/progress.js";
import { readWeights } from "../../src/loading/read-weights.js";
import { fillRopeTable } from "../../src/model/rope-table.js";
import { eachWeight } from "../../src/model/weights.js";
import { openSources } from "../../src/sources/source.js";
import { engineLogits, loadEngine } from "../model/support/engine.js";
import { K_DIMS, Q8_CACHE_DIMS, SMALL_DIMS, tinyModel, tinyTokens } from "../model/support/tiny.js";

/** Floats of such bytes are NaN. */
const GUARD = 0xff;

/** Loads a model into regions full of GUARD, one more of which follows the others. */
async function loadGuarded(
  file: Uint8Array,
  options: ModelOptions,
): Promise<{ model: LoadedPlm; memory: WebAssembly.Memory }> {
  const gguf = await openGguf(await openSources(file));
  const plan = planModel(gguf, { threads: 1, ...options });
  const first = plan.memory.regions[0].ptr;
  plan.memory.add("scratch", "guard", 1 << 16);
  const memory = plan.memory.allocate();
  const { kernels, reading } = await loadKernels(memory, { variant: "simd" });
  new Uint8Array(memory.buffer).fill(GUARD, first);
  const { config, weights, buffers, meeting, pages, batch, windowPtr } = plan;
  const helpers = Promise.resolve(0);
  await readWeights(gguf, weights, { kernels, memory, ...stagingOf(plan), helpers }, {});
  const { contextLength, cacheType, precision, attention } = plan.options;
  fillRopeTable(memory, buffers.ropeTable, config, contextLength);
  const types = new Set(Array.from(eachWeight(weights), ({ type }) => type));
  const choice = chooseKernels(kernels, memory, buffers.x, types);
  const data = { config, weights, buffers, meeting, batch, windowPtr };
  const model = { ...data, cacheType, choice, reading };
  // The threads' work and team are written before anything is computed.
  new Uint8Array(memory.buffer, meeting.team, TEAM_BYTES).fill(0);
  const part = createThreadPart(model, kernels, memory, { index: 0, maySleep: true });
  const parts = { model, memory, part, pages, threads: [], precision, attention };
  const engine = new Engine({ ...parts, window: undefined, variant: "simd" });
  await engine.finishLoading(new LoadReport(0));
  return { model: new LoadedPlm(plan, engine), memory };
}

/** Contexts that the cache has room for, one of which is used. */
const SEQUENCES = 2;

/** Everything between the regions that evaluation may write: weights, guard, gaps. */
function untouchable(model: LoadedPlm, memory: WebAssembly.Memory): Uint8Array[] {
  const { regions } = model.plan.memory;
  const parts: Uint8Array[] = [];
  let from = regions[0].ptr;
  for (const region of regions) {
    const isScratch = region.kind === "scratch" && region.name !== "guard";
    if (!isScratch && region.kind !== "cache") continue;
    parts.push(new Uint8Array(memory.buffer).slice(from, region.ptr));
    // The first session takes the first pages.
    from = region.ptr + (isScratch ? region.bytes : region.bytes / SEQUENCES);
  }
  parts.push(new Uint8Array(memory.buffer).slice(from));
  return parts;
}

const CASES: [TensorType, ModelOptions][] = [
  ["F32", { cacheType: "f32" }],
  ["BF16", { cacheType: "f16" }],
  ["Q8_0", { cacheType: "i16" }],
  ["Q8_0", { cacheType: "q8_0" }],
  ["Q5_1", { cacheType: "i16" }],
  ["Q4_K", { cacheType: "i16" }],
  ["Q6_K", { cacheType: "q8_0" }],
];

for (const [type, options] of CASES) {
  test(`${type} over ${options.cacheType} writes to its own places only`, async () => {
    const dims = type.endsWith("_K") ? { ...K_DIMS, qkRopeHeadDim: 32 } : Q8_CACHE_DIMS;
    const file = tinyModel({ dims: { ...dims, numHiddenLayers: 1 }, type, tied: false });
    for (const attention of ["absorbed", "expanded"] as const) {
      for (const batchSize of [1, 3, 64]) {
        const planned = {
          ...options,
          attention,
          batchSize,
          cacheTokens: SEQUENCES * dims.contextLength,
        };
        const { model, memory } = await loadGuarded(file, planned);
        const { ptr, bytes } = model.plan.memory.regions.at(-1)!;
        const guard = new Uint8Array(memory.buffer, ptr, bytes);
        assert.ok(!guard.some((byte) => byte !== GUARD), "loading wrote beyond the scratch");
        const before = untouchable(model, memory);
        await engineLogits(model, tinyTokens(dims.contextLength));
        const after = untouchable(model, memory);
        assert.is(after.length, before.length);
        before.forEach((bytes, i) => {
          const at = bytes.findIndex((byte, j) => byte !== after[i][j]);
          assert.is(at, -1, `${attention}, batches of ${batchSize}, part ${i}`);
        });
      }
    }
  });
}

test("the earlier contents of memory do not matter", async () => {
  const dims = { ...Q8_CACHE_DIMS, numHiddenLayers: 1 };
  const tokens = tinyTokens(40);
  for (const type of ["F32", "Q8_0", "Q4_1"] as const) {
    const file = tinyModel({ dims, type });
    for (const cacheType of CACHE_TYPES) {
      const expected = await engineLogits(await loadEngine(file, { cacheType }), tokens);
      const { model } = await loadGuarded(file, { cacheType });
      assert.equal(await engineLogits(model, tokens), expected, `${type} over ${cacheType}`);
    }
  }
});

test("addresses beyond 2 GiB are addresses like others", async () => {
  const dims = { ...SMALL_DIMS, contextLength: 1024 };
  const tokens = tinyTokens(70);
  for (const attention of ["absorbed", "expanded"] as const) {
    const file = tinyModel({ dims, type: "Q8_0" });
    const expected = await engineLogits(await loadEngine(file, { attention }), tokens);
    try {
      const model = await loadEngine(file, { attention, cacheTokens: 14_000 * 1024 });
      assert.ok(model.plan.buffers.x > 2 ** 31);
      assert.equal(await engineLogits(model, tokens), expected);
    } catch (error) {
      if (!(error instanceof PlmError) || error.code !== "OUT_OF_MEMORY") throw error;
      console.log("skipped: this machine does not lend 3 GiB");
    }
  }
});

test("weights that overflow give no numbers, and no trap", async () => {
  for (const type of ["F32", "BF16"] as const) {
    for (const cacheType of ["f32", "f16", "i16"] as const) {
      const file = tinyModel({ type }, ({ tensors }) => {
        const { data } = tensors.get("blk.0.ffn_up.weight")!;
        const bytes = data as Uint8Array;
        // The exponents of values of 1e30 and more.
        for (let at = type === "F32" ? 3 : 1; at < bytes.length; at += type === "F32" ? 4 : 2) {
          bytes[at] = 0x72;
        }
      });
      for (const attention of ["absorbed", "expanded"] as const) {
        const model = await loadEngine(file, { cacheType, attention });
        const rows = await engineLogits(model, tinyTokens(20));
        assert.ok(rows[19].every((value) => !Number.isFinite(value)));
      }
    }
  }
});

test.run();
