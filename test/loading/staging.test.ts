import { test } from "uvu";
import * as assert from "uvu/assert";
import { planModel } from "../../src/engine/plan.js";
import { openGguf } from "../../src/format/gguf.js";
import { ChunkQueue, QUEUE_BYTES } from "../../src/loading/chunk-queue.js";
import { stagedBytes } from "../../src/loading/chunks.js";
import { Staging } from "../../src/loading/staging.js";
import { eachWeight, type PlmWeights } from "../../src/model/weights.js";
import { openSources } from "../../src/sources/source.js";
import { ODD_DIMS, SMALL_DIMS, type TinyOptions, tinyModel } from "../model/support/tiny.js";

async function weightsOf(options: TinyOptions): Promise<PlmWeights> {
  return planModel(await openGguf(await openSources(tinyModel(options)))).weights;
}

/** Tensors that take several chunks, and a slab that does. */
const LARGE: TinyOptions = {
  dims: { ...ODD_DIMS, numHiddenLayers: 1, hiddenSize: 960, intermediateSize: 2048 },
};

test("chunks cover every tensor once, in the order of the file", async () => {
  for (const options of [{ dims: SMALL_DIMS, splitKvB: true }, LARGE]) {
    const weights = await weightsOf(options);
    const { chunks } = new Staging(weights, 2, 0);
    let place = 0;
    const covered = new Map<string, number>();
    for (const { weight, tensor, firstRow, rows, rowBytes } of chunks) {
      assert.ok(tensor.offset + firstRow * rowBytes >= place);
      place = tensor.offset + (firstRow + rows) * rowBytes;
      assert.is(firstRow, covered.get(tensor.name) ?? 0);
      assert.is(firstRow % (weight.layout === "slab" ? 64 : 8), 0);
      covered.set(tensor.name, firstRow + rows);
    }
    for (const { tensors } of eachWeight(weights)) {
      for (const { name, shape } of tensors) {
        const cols = shape[shape.length - 1];
        assert.is(covered.get(name), shape.reduce((a, b) => a * b, 1) / cols, name);
      }
    }
  }
});

test("slots and packers' work spaces do not overlap", async () => {
  const weights = await weightsOf(LARGE);
  for (const threads of [1, 2, 3, 7, 64]) {
    const staging = new Staging(weights, threads, 4096);
    const { chunks, slots, packers, bytes } = staging;
    assert.ok(slots >= 2 && packers >= 1 && packers < slots && packers <= threads);
    assert.ok(bytes <= 40 << 20, `${bytes}`);
    if (threads < 4) assert.is(packers, threads);
    let end = 4096;
    for (let i = 0; i < slots; i++) {
      assert.ok(staging.slotPtr(i) >= end);
      assert.is(staging.slotPtr(i), staging.slotPtr(i + slots));
      end = staging.slotPtr(i) + Math.max(...chunks.map(stagedBytes));
    }
    for (let i = 0; i < packers; i++) {
      assert.ok(staging.workPtr(i) >= end && staging.workPtr(i) % 64 === 0);
      end = staging.workPtr(i) + 1;
    }
    assert.ok(end <= 4096 + bytes);
  }
});

test("a queue hands out each chunk once, and returns the finding of a packed chunk", () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  new Uint8Array(memory.buffer).fill(0xa5);
  const [one, other] = [0, 1].map(() => new ChunkQueue(memory, 64, 5, 3));
  one.reset();
  one.admit(1);
  assert.is(one.take(), -1);
  one.stage(0);
  one.stage(1);
  assert.is(other.awaitChunk(), 0);
  assert.is(one.take(), 1);
  assert.is(one.take(), -1);
  assert.is(one.status(0), -1);
  one.finish(1, 0);
  assert.is(one.status(0), -1);
  assert.is(one.status(1), 0);
  other.finish(0, 3);
  assert.is(one.status(0), 3);
  // Chunk 3 has the slot of chunk 0.
  assert.is(one.status(3), -1);
  one.stage(4);
  assert.equal([other.awaitChunk(), one.take(), other.awaitChunk()], [2, 3, 4]);
  assert.equal([one.take(), other.awaitChunk(), other.awaitChunk()], [-1, -1, -1]);
  one.reset();
  one.admit(1);
  one.stage(1);
  assert.is(other.awaitChunk(), 0);
  one.close();
  assert.is(other.awaitChunk(), -1);
  assert.is(new Uint8Array(memory.buffer)[64 + QUEUE_BYTES], 0xa5);
});

test.run();
