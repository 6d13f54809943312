import { test } from "uvu";
import * as assert from "uvu/assert";
import type { LoadOptions } from "../../src/engine/load.js";
import type { ErrorCode } from "../../src/errors.js";
import { inspectModel, loadModel } from "../../src/generation/load-model.js";
import { assertRejects, rejection } from "../model/support/engine.js";
import { ObservedSource } from "../model/support/observed-source.js";
import { SMALL_DIMS, tinyModel } from "../model/support/tiny.js";

const TEMPLATE = "{{ messages[0].content }}";
const FILE = tinyModel({ type: "Q8_0" });
const REASON = new Error("enough");

/** Ten tokens, whatever the model would say of the end. */
const TEN = { maxTokens: 10, ignoreEos: true, temperature: 1, seed: 1 };

test("progress reaches all bytes, and the source is closed", async () => {
  const source = new ObservedSource(FILE);
  let [loaded, total] = [0, -1];
  await loadModel(source, {
    onProgress: ({ loadedBytes, totalBytes }) => {
      [loaded, total] = [loadedBytes, totalBytes];
    },
  });
  assert.is(loaded, total);
  const { gguf } = await inspectModel(FILE);
  const tensors = [...gguf.tensors.values()];
  const bytes = tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);
  assert.is(total, bytes);
  assert.is(source.closed, 1);
});

test("an abort while loading rejects with the reason and closes every source", async () => {
  for (const aborting of [1, 2, 5]) {
    const controller = new AbortController();
    const source = new ObservedSource(FILE);
    source.onRead = () => {
      if (source.reads === aborting) controller.abort(REASON);
    };
    assert.is(await rejection(loadModel(source, { signal: controller.signal })), REASON);
    assert.equal([source.closed, source.pending], [1, 0], `read ${aborting}`);
  }
  const source = new ObservedSource(FILE);
  const options = { signal: AbortSignal.abort(REASON) };
  assert.is(await rejection(loadModel(source, options)), REASON);
  assert.is(source.reads, 0);
});

test("a file that is refused is closed", async () => {
  const untold = tinyModel({}, ({ metadata }) => metadata.delete("tokenizer.ggml.model"));
  const lost = tinyModel({}, ({ tensors }) => tensors.delete("output_norm.weight"));
  const refused: [Uint8Array, LoadOptions, ErrorCode][] = [
    [FILE.subarray(0, 1000), {}, "INVALID_FILE"],
    [FILE.subarray(0, FILE.length - 3000), {}, "INVALID_FILE"],
    [new Uint8Array(5000), {}, "INVALID_FILE"],
    [untold, {}, "INVALID_FILE"],
    [lost, {}, "INVALID_FILE"],
    [FILE, { contextLength: 1000 }, "INVALID_ARGUMENT"],
    [FILE, { memoryLimitBytes: 1000 }, "OUT_OF_MEMORY"],
    [FILE, { wasm: new Uint8Array(8) }, "UNSUPPORTED_RUNTIME"],
  ];
  for (const [file, options, code] of refused) {
    const source = new ObservedSource(file);
    await assertRejects(loadModel(source, options), code);
    assert.equal([source.closed, source.pending], [1, 0], code);
  }
});

test("a source that cannot be closed does not hide why the file is refused", async () => {
  class Stubborn extends ObservedSource {
    override async close(): Promise<void> {
      await super.close();
      throw new Error("stuck");
    }
  }
  const refused = new Stubborn(FILE.subarray(0, 1000));
  await assertRejects(loadModel([refused, FILE]), "INVALID_FILE");
  const sound = new Stubborn(FILE);
  assert.is((await (await loadModel(sound)).generate("Once", TEN).result()).tokens.length, 10);
  assert.equal([refused.closed, sound.closed], [1, 1]);
});

test("inspection reads the header alone", async () => {
  const source = new ObservedSource(tinyModel({ chatTemplate: TEMPLATE }));
  const { gguf, plan, tokenizer } = await inspectModel(source);
  assert.is(source.closed, 1);
  assert.is(gguf.tensors.size, 2 + 9 * SMALL_DIMS.numHiddenLayers);
  assert.is(plan.pages.count, SMALL_DIMS.numHiddenLayers, "one context");
  assert.is(tokenizer.chatTemplate, TEMPLATE);
});

test.run();
