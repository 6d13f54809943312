import { test } from "uvu";
import * as assert from "uvu/assert";
import type { CacheType } from "../../src/cache/rows.js";
import type { LoadOptions } from "../../src/engine/load.js";
import { type MetadataEntry, type TensorData, writeGguf } from "../../src/format/writer.js";
import { assertRejects, engineLogits, loadEngine, planEngine } from "../model/support/engine.js";
import { ObservedSource } from "../model/support/observed-source.js";
import {
  SMALL_DIMS,
  type TinyDims,
  tinyMetadata,
  tinyModel,
  tinyTokens,
} from "../model/support/tiny.js";

/** The header of a file without its tensors' data. */
function claimedModel(dims: TinyDims, addLayers: boolean): Uint8Array {
  const shapes = new Map<string, number[]>([
    ["token_embd.weight", [dims.vocabSize, dims.hiddenSize]],
    ["output_norm.weight", [dims.hiddenSize]],
  ]);
  const { numAttentionHeads: heads, hiddenSize, kvLoraRank, intermediateSize } = dims;
  const qkDim = dims.qkNopeHeadDim + dims.qkRopeHeadDim;
  for (let i = 0; addLayers && i < dims.numHiddenLayers; i++) {
    const blk = `blk.${i}`;
    shapes.set(`${blk}.attn_norm.weight`, [hiddenSize]);
    shapes.set(`${blk}.attn_q.weight`, [heads * qkDim, hiddenSize]);
    shapes.set(`${blk}.attn_kv_a_mqa.weight`, [kvLoraRank + dims.qkRopeHeadDim, hiddenSize]);
    shapes.set(`${blk}.attn_kv_a_norm.weight`, [kvLoraRank]);
    const kvRows = heads * (dims.qkNopeHeadDim + dims.vHeadDim);
    shapes.set(`${blk}.attn_kv_b.weight`, [kvRows, kvLoraRank]);
    shapes.set(`${blk}.attn_output.weight`, [hiddenSize, heads * dims.vHeadDim]);
    shapes.set(`${blk}.ffn_norm.weight`, [hiddenSize]);
    shapes.set(`${blk}.ffn_up.weight`, [intermediateSize, hiddenSize]);
    shapes.set(`${blk}.ffn_down.weight`, [hiddenSize, intermediateSize]);
  }
  const tensors: TensorData[] = [...shapes].map(([name, shape]) => ({
    name,
    type: "F32",
    shape,
    data: () => assert.unreachable("only the header is written") as never,
  }));
  const metadata: MetadataEntry[] = [...tinyMetadata({ dims }).values()];
  return writeGguf(metadata, tensors).next().value as Uint8Array;
}

test("the plan has every region, and is what is allocated", async () => {
  const { memory, options, pages, config } = await planEngine(tinyModel());
  const parts = (["weights", "cache", "scratch"] as const).map((kind) => memory.bytes(kind));
  assert.ok(memory.bytes() >= parts.reduce((a, b) => a + b));
  assert.equal([memory.bytes("cache"), pages.count], [2 * pages.pageBytes, 2]);
  assert.is(memory.allocate().buffer.byteLength, memory.bytes());
  assert.is(config.maxPositionEmbeddings, 64);
  const { contextLength, cacheType, attention, batchSize, maxSequences, cacheTokens } = options;
  const defaults = { contextLength: 64, cacheType: "i16", attention: "auto", batchSize: 64 };
  assert.equal({ contextLength, cacheType, attention, batchSize }, defaults);
  assert.equal({ maxSequences, cacheTokens }, { maxSequences: 16, cacheTokens: 64 });
});

test("regions do not overlap", async () => {
  const { memory } = await planEngine(tinyModel({ tied: false }), {
    maxSequences: 3,
    cacheTokens: 200,
  });
  let end = 0;
  for (const { name, ptr, bytes } of memory.regions) {
    assert.ok(ptr >= end, name);
    assert.is(ptr % 64, 0, name);
    end = ptr + bytes;
  }
  assert.is(memory.regions.filter(({ kind }) => kind === "cache").length, 1);
});

test("options out of their range are refused with the range", async () => {
  const file = tinyModel();
  const refused: [LoadOptions, string][] = [
    [{ contextLength: 65 }, "contextLength: expected an integer from 1 to 64, got 65"],
    [{ contextLength: 0 }, "contextLength"],
    [{ contextLength: 1.5 }, "contextLength"],
    [{ contextLength: Number.NaN }, "contextLength"],
    [{ contextLength: "8" as unknown as number }, "contextLength"],
    [{ batchSize: 0 }, "batchSize"],
    [{ batchSize: 2 ** 20 }, "batchSize"],
    [{ maxSequences: 0 }, "maxSequences: expected an integer from 1 to 1024, got 0"],
    [{ threads: 0 }, "threads: expected an integer from 1 to 64, got 0"],
    [{ threads: 1.5 }, "threads"],
    [{ threads: 65 }, "threads"],
    [{ threads: "2" as unknown as number }, "threads"],
    [{ precision: "best" as "exact" }, 'precision: expected exact, balanced, fast, got "best"'],
    [{ maxSequences: 2 ** 31 }, "maxSequences"],
    [{ cacheTokens: -1 }, "cacheTokens"],
    [{ cacheTokens: 2 ** 31 }, "cacheTokens"],
    [{ cacheTokens: 32, contextLength: 33 }, "contextLength: expected an integer from 1 to 32"],
    [{ prefixCache: "no" as unknown as boolean }, 'prefixCache: expected a boolean, got "no"'],
    [{ cacheType: "q4_0" as CacheType }, "cacheType: expected i16, f32, f16, q8_0, got"],
    [{ attention: "flash" as "auto" }, "attention: expected auto, absorbed, expanded, got"],
    [{ memoryLimitBytes: Number.NaN }, "memoryLimitBytes"],
    [{ memoryLimitBytes: -1 }, "memoryLimitBytes"],
    [{ memoryLimitBytes: "1 GiB" as unknown as number }, "memoryLimitBytes"],
  ];
  for (const [options, message] of refused) {
    await assertRejects(planEngine(file, options), "INVALID_ARGUMENT", message);
  }
});

test("a plan over the limit is refused before any tensor is read", async () => {
  const file = tinyModel();
  const header = new ObservedSource(file);
  const { memory } = await planEngine(header);
  const needed = memory.bytes();
  const source = new ObservedSource(file);
  const refusal = loadEngine(source, { memoryLimitBytes: needed - 1 });
  const message = `at most ${needed - 1} bytes, got ${needed}`;
  await assertRejects(refusal, "OUT_OF_MEMORY", message, "weights", "cache", "scratch");
  assert.is(source.reads, header.reads);
  const model = await loadEngine(source, { memoryLimitBytes: needed });
  assert.is((await engineLogits(model, tinyTokens(3))).length, 3);
});

test("too many cached tokens take too much memory", async () => {
  const file = tinyModel({ dims: { ...SMALL_DIMS, contextLength: 1024 } });
  await assertRejects(planEngine(file, { cacheTokens: 2 ** 26 }), "OUT_OF_MEMORY", "cache");
});

test("a context larger than any memory is refused unless a smaller one is requested", async () => {
  const endless = tinyModel({ dims: { ...SMALL_DIMS, contextLength: 2 ** 32 - 1 } });
  await assertRejects(planEngine(endless), "OUT_OF_MEMORY", "cache");
  assert.is((await planEngine(endless, { contextLength: 100 })).options.contextLength, 100);
  const dims = { ...SMALL_DIMS, numHiddenLayers: 32, contextLength: 2 ** 20 };
  const long = tinyModel({ dims });
  await assertRejects(planEngine(long, { cacheType: "f32" }), "OUT_OF_MEMORY", "cache");
  const { options } = await planEngine(long, { contextLength: 100 });
  assert.is(options.contextLength, 100);
});

test("claimed layers without tensors are refused without an endless list", async () => {
  for (const numHiddenLayers of [2 ** 20, 2 ** 31 - 1]) {
    const header = claimedModel({ ...SMALL_DIMS, numHiddenLayers }, false);
    const source = new ObservedSource(header, "never");
    const error = await planEngine(source).catch((caught) => caught);
    assert.is(error.code, "INVALID_FILE");
    assert.ok(error.message.length < 20_000, `${error.message.length} characters`);
  }
});

test("claimed tensors without data are refused unread", async () => {
  const dims = { ...SMALL_DIMS, hiddenSize: 2 ** 20, intermediateSize: 2 ** 20 };
  const header = claimedModel({ ...dims, numHiddenLayers: 400 }, true);
  const source = new ObservedSource(header, "never");
  await assertRejects(planEngine(source), "OUT_OF_MEMORY", "weights");
});

test.run();
