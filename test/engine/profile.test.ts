/** Options that a profile chooses, and memory that a runtime lends in steps only. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import platform from "#platform";
import type { ModelOptions } from "../../src/engine/options.js";
import { type ModelPlan, planModel } from "../../src/engine/plan.js";
import { openGguf } from "../../src/format/gguf.js";
import { loadModel } from "../../src/index.js";
import { openSources } from "../../src/sources/source.js";
import { assertRejects, engineLogits, loadEngine, planEngine } from "../model/support/engine.js";
import { ObservedSource } from "../model/support/observed-source.js";
import { claimProcessors } from "../model/support/processors.js";
import { ODD_DIMS, SMALL_DIMS, tinyModel, tinyTokens } from "../model/support/tiny.js";

/** Room for a long context beside few weights, and rows that q8_0 has blocks for. */
const DIMS = { ...SMALL_DIMS, qkRopeHeadDim: 32, contextLength: 1 << 15 };
const FILE = tinyModel({ dims: DIMS, type: "Q8_0" });

const plan = (options: ModelOptions): Promise<ModelPlan> => planEngine(FILE, options);
const chosen = ({ choices }: ModelPlan): Record<string, unknown> =>
  Object.fromEntries(choices.map(({ option, value }) => [option, value]));

test("auto: what fits is left as it is", async () => {
  const [own, auto] = [await plan({}), await plan({ profile: "auto" })];
  assert.equal(auto.choices, []);
  assert.equal(auto.memory.regions, own.memory.regions);
});

test("auto: batches, then the cache's type, then the context; no more than needed", async () => {
  const kinds = new Set<string>();
  let last = (await plan({})).memory.bytes();
  for (;;) {
    const memoryLimitBytes = last - 1;
    const found = await plan({ profile: "auto", memoryLimitBytes }).catch(() => undefined);
    if (found === undefined) break;
    assert.ok(found.memory.bytes() <= memoryLimitBytes);
    for (const { option, value, reason } of found.choices) {
      assert.is(found.options[option], value);
      assert.match(reason, `memoryLimitBytes, ${memoryLimitBytes}`);
    }
    kinds.add(Object.keys(chosen(found)).join(" "));
    last = found.memory.bytes();
  }
  const all = "batchSize cacheType contextLength";
  assert.equal([...kinds], ["batchSize", "batchSize cacheType", all]);
  await assertRejects(plan({ profile: "auto", memoryLimitBytes: last - 1 }), "OUT_OF_MEMORY");
});

test("options that the caller sets stay", async () => {
  const set = { contextLength: 4096, cacheType: "f16", batchSize: 512 } as const;
  const own = await plan(set);
  const memoryLimitBytes = own.memory.bytes();
  const found = await plan({ ...set, profile: "auto", memoryLimitBytes });
  assert.equal([found.choices, found.memory.bytes()], [[], memoryLimitBytes]);
  const less = { ...set, profile: "auto", memoryLimitBytes: memoryLimitBytes - 1 } as const;
  await assertRejects(plan(less), "OUT_OF_MEMORY");
  const small = await plan({ ...set, profile: "small" });
  assert.equal(small.choices, []);
});

test("small: a short context, a small cache and small batches", async () => {
  const found = await plan({ profile: "small" });
  const expected = { batchSize: 64, cacheType: "q8_0", contextLength: 2048 };
  assert.equal(chosen(found), expected);
  const other = tinyModel({ dims: { ...SMALL_DIMS, contextLength: 100 } });
  const { choices } = await planEngine(other, { profile: "small" });
  assert.equal(choices, [{ option: "batchSize", value: 64, reason: 'profile "small"' }]);
});

test("small: at most four threads, of which the fastest number computes", async () => {
  const unclaim = claimProcessors(16);
  const file = tinyModel({ dims: { ...ODD_DIMS, numHiddenLayers: 6 } });
  try {
    const gguf = await openGguf(await openSources(file));
    const found = await planModel(gguf, { profile: "small" });
    assert.is(chosen(found).threads, 4);
    assert.is(found.options.threads, 4);
    const set = await planModel(gguf, { profile: "small", threads: 6 });
    assert.equal([chosen(set).threads, set.options.threads], [undefined, 6]);
    const smaller = await planModel(await openGguf(await openSources(FILE)), { profile: "small" });
    assert.equal([chosen(smaller).threads, smaller.options.threads], [undefined, 1]);
  } finally {
    unclaim();
  }
});

test("without a limit, auto takes half of the device's memory", async () => {
  const { deviceMemoryBytes } = platform;
  const { memory } = await plan({});
  try {
    platform.deviceMemoryBytes = () => 2 * memory.bytes() - 2;
    const found = await plan({ profile: "auto" });
    assert.match(found.choices[0].reason, "half of this device's memory");
    assert.ok(found.memory.bytes() < memory.bytes());
    platform.deviceMemoryBytes = () => undefined;
    assert.equal((await plan({ profile: "auto" })).choices, []);
  } finally {
    platform.deviceMemoryBytes = deviceMemoryBytes;
  }
  assert.ok((platform.deviceMemoryBytes() ?? 0) > 2 ** 28);
});

test("auto: in the end fewer layers in memory, of a file that can be read again", async () => {
  const file = tinyModel({ dims: { ...ODD_DIMS, numHiddenLayers: 12 }, type: "Q8_0" });
  const limited = { profile: "auto", contextLength: 64, cacheType: "i16" } as const;
  const whole = await planEngine(file, limited);
  const memoryLimitBytes = whole.memory.bytes("weights");
  const found = await planEngine(file, { ...limited, memoryLimitBytes });
  assert.is(chosen(found).residentLayers, 6);
  assert.ok(found.memory.bytes() <= memoryLimitBytes);
  const source = Object.assign(new ObservedSource(file), { isRemote: true });
  await assertRejects(planEngine(source, { ...limited, memoryLimitBytes }), "OUT_OF_MEMORY");
  const set = { ...limited, memoryLimitBytes, residentLayers: 12 };
  await assertRejects(planEngine(file, set), "OUT_OF_MEMORY");
});

test("another profile is refused", async () => {
  const options = { profile: "tiny" } as unknown as ModelOptions;
  await assertRejects(plan(options), "INVALID_ARGUMENT");
});

test("in a worker, the plan says the same", async () => {
  const model = await loadModel(FILE, { profile: "small", worker: true });
  assert.equal(model.plan.choices, (await plan({ profile: "small" })).choices);
  assert.is(model.plan.options.contextLength, 2048);
  model.dispose();
});

test("a memory that is refused in one block is taken in steps, with the same results", async () => {
  const { Memory } = WebAssembly;
  const file = tinyModel({ dims: { ...SMALL_DIMS, contextLength: 1 << 20 }, type: "Q8_0" });
  const tokens = tinyTokens(20);
  const expected = await engineLogits(await loadEngine(file), tokens);
  const refused: number[] = [];
  class Stingy extends Memory {
    constructor(descriptor: WebAssembly.MemoryDescriptor) {
      if (descriptor.initial > 1024) {
        refused.push(descriptor.initial);
        throw new RangeError("could not allocate memory");
      }
      super(descriptor);
    }
  }
  WebAssembly.Memory = Stingy;
  try {
    for (const threads of [1, 2]) {
      const model = await loadEngine(file, { threads });
      assert.ok(model.plan.memory.bytes() > 128 << 20);
      assert.equal(await engineLogits(model, tokens), expected);
      model.dispose();
    }
  } finally {
    WebAssembly.Memory = Memory;
  }
  assert.is(refused.length, 2);
});

test.run();
