import { test } from "uvu";
import * as assert from "uvu/assert";
import { type Gguf, openGguf } from "../../src/format/gguf.js";
import { encodeGguf } from "../../src/format/writer.js";
import type { LoadProgress } from "../../src/loading/progress.js";
import { openSources } from "../../src/sources/source.js";
import {
  assertAtMost,
  assertRejects,
  engineLogits,
  loadEngine,
  rejection,
  rowsError,
} from "../model/support/engine.js";
import { ObservedSource } from "../model/support/observed-source.js";
import {
  ODD_DIMS,
  SMALL_DIMS,
  type TinyOptions,
  tinyModel,
  tinyTokens,
} from "../model/support/tiny.js";

async function open(file: Uint8Array): Promise<Gguf> {
  return openGguf(await openSources(file));
}

test("norms of F16 and BF16 have the values of F32", async () => {
  const tokens = tinyTokens(8);
  for (const type of ["F16", "BF16"] as const) {
    const [halves, floats] = [true, false].map((isHalf) =>
      tinyModel({ dims: ODD_DIMS }, ({ tensors }) => {
        for (const tensor of tensors.values()) {
          if (!tensor.name.endsWith("norm.weight")) continue;
          const one = { F32: 0x3f800000, F16: 0x3c00, BF16: 0x3f80 };
          const size = tensor.shape[0];
          tensor.type = isHalf ? type : "F32";
          // 1.5 and 1, to tell the orders apart.
          const halfBit = { F32: 0x400000, F16: 0x200, BF16: 0x40 }[tensor.type as "F32"];
          const bits = Array.from(
            { length: size },
            (_, i) => one[tensor.type as "F32"] + (i % 3 ? 0 : halfBit),
          );
          const array = isHalf ? Uint16Array.from(bits) : Uint32Array.from(bits);
          tensor.data = new Uint8Array(array.buffer);
        }
      }),
    );
    const expected = await engineLogits(await loadEngine(floats), tokens);
    assert.equal(await engineLogits(await loadEngine(halves), tokens), expected);
  }
});

test("a file that ends within its tensors is refused, and no read is left over", async () => {
  const file = tinyModel({ type: "Q8_0" });
  const { tensors } = await open(file);
  const start = Math.min(...[...tensors.values()].map(({ offset }) => offset));
  for (const share of [0, 0.1, 0.5, 0.9, 0.999]) {
    const length = Math.floor(start + share * (file.length - start - 32));
    const known = new ObservedSource(file.subarray(0, length));
    await assertRejects(loadEngine(known), "INVALID_FILE", "observed");
    const unknown = new ObservedSource(file.subarray(0, length), "unknown");
    await assertRejects(loadEngine(unknown), "INVALID_FILE", "observed");
    assert.is(known.pending + unknown.pending, 0);
  }
});

/** A file longer than the header's window, so that its end is found while tensors are read. */
const LONG: TinyOptions = { dims: { ...ODD_DIMS, hiddenSize: 640, intermediateSize: 1600 } };

test("an end found only by reading is refused with the tensor and the bytes", async () => {
  const file = tinyModel(LONG);
  const { offset, byteLength } = (await open(file)).tensors.get("blk.1.ffn_down.weight")!;
  for (const cut of [offset - 100, offset + 2, offset + byteLength - 1]) {
    const source = new ObservedSource(file.subarray(0, cut), "unknown");
    await assertRejects(loadEngine(source), "INVALID_FILE", "observed: blk.1.ffn_", "bytes at");
    assert.is(source.pending, 0);
  }
});

test("a bad weight is the error even if the next read fails, too", async () => {
  const file = tinyModel(LONG);
  const { offset } = (await open(file)).tensors.get("blk.1.ffn_up.weight")!;
  new DataView(file.buffer).setUint32(offset - 64, 0x7fc00000, true);
  const source = new ObservedSource(file.subarray(0, offset + 4), "unknown");
  await assertRejects(loadEngine(source), "INVALID_FILE", "blk.1.ffn_norm.weight", "finite");
  assert.is(source.pending, 0);
});

test("a source's own error is passed on", async () => {
  const failure = new Error("the cable is out");
  for (const failing of [2, 5, 9]) {
    const source = new ObservedSource(tinyModel(LONG));
    source.onRead = () => {
      if (source.reads === failing) throw failure;
    };
    assert.is(await rejection(loadEngine(source)), failure);
    assert.is(source.pending, 0);
  }
});

test("progress goes up to all bytes of all tensors", async () => {
  const file = tinyModel(LONG);
  let expected = 0;
  for (const { byteLength } of (await open(file)).tensors.values()) expected += byteLength;
  const seen: LoadProgress[] = [];
  await loadEngine(file, { onProgress: (progress) => seen.push(progress) });
  assert.ok(seen.length >= 20, `${seen.length} reports`);
  let before = 0;
  for (const { loadedBytes, totalBytes } of seen) {
    assert.is(totalBytes, expected);
    assert.ok(loadedBytes > before);
    before = loadedBytes;
  }
  assert.is(before, expected);
});

test("an error of onProgress is the error of loading, and no read is left over", async () => {
  const failure = new Error("the bar broke");
  for (const failing of [1, 4]) {
    const source = new ObservedSource(tinyModel(LONG));
    let reports = 0;
    const onProgress = (): void => {
      if (++reports === failing) throw failure;
    };
    assert.is(await rejection(loadEngine(source, { onProgress })), failure);
    assert.is(source.pending, 0);
  }
});

test("an abort while tensors are read rejects with the reason", async () => {
  for (const aborting of [2, 6]) {
    const source = new ObservedSource(tinyModel(LONG));
    const controller = new AbortController();
    const reason = new Error("enough");
    source.onRead = () => {
      if (source.reads === aborting) controller.abort(reason);
    };
    assert.is(await rejection(loadEngine(source, { signal: controller.signal })), reason);
    assert.is(source.pending, 0);
    assert.is(source.reads, aborting);
  }
});

test("tensors may lie in any order, and are read in the order of the file", async () => {
  const reversed: string[] = [];
  const file = tinyModel({ type: "Q8_0" }, (parts) => {
    parts.tensors = new Map([...parts.tensors].reverse());
    reversed.push(...parts.tensors.keys());
  });
  assert.equal([...(await open(file)).tensors.keys()], reversed);
  const tokens = tinyTokens(6);
  const expected = await engineLogits(await loadEngine(tinyModel({ type: "Q8_0" })), tokens);
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let at = 0; at < file.length; at += 1000) controller.enqueue(file.slice(at, at + 1000));
      controller.close();
    },
  });
  assert.equal(await engineLogits(await loadEngine(stream), tokens), expected);
});

test("a model in two parts is the model in one", async () => {
  const parts: Uint8Array[] = [];
  const options: TinyOptions = { type: "Q8_0", splitKvB: true };
  options.dims = { ...SMALL_DIMS, qkNopeHeadDim: 32 };
  const whole = tinyModel(options, ({ metadata, tensors }) => {
    const all = [...tensors.values()];
    for (const part of [0, 1]) {
      const split = [
        { key: "split.count", type: "uint16" as const, value: 2 },
        { key: "split.no", type: "uint16" as const, value: part },
        { key: "split.tensors.count", type: "int32" as const, value: all.length },
      ];
      // Every other tensor, so that a layer's tensors, k_b and v_b too, are in both.
      const some = all.filter((_, i) => i % 2 === part);
      parts.push(encodeGguf(part === 0 ? [...metadata.values(), ...split] : split, some));
    }
  });
  const tokens = tinyTokens(10);
  const expected = await engineLogits(await loadEngine(whole), tokens);
  assert.equal(await engineLogits(await loadEngine(parts), tokens), expected);
  await assertRejects(loadEngine(parts[0]), "INVALID_FILE", "split.count");
});

test("a split kv_b equals the joined one", async () => {
  const { numAttentionHeads: heads, kvLoraRank, qkNopeHeadDim, vHeadDim } = ODD_DIMS;
  const tokens = tinyTokens(10);
  const joined = tinyModel({ dims: ODD_DIMS });
  const split = tinyModel({ dims: ODD_DIMS }, ({ tensors }) => {
    for (const blk of ["blk.0", "blk.1"]) {
      const { data } = tensors.get(`${blk}.attn_kv_b.weight`)!;
      const kvB = new Float32Array((data as Uint8Array).buffer);
      const at = (h: number, row: number, c: number): number =>
        kvB[(h * (qkNopeHeadDim + vHeadDim) + row) * kvLoraRank + c];
      const keys = new Float32Array(heads * kvLoraRank * qkNopeHeadDim);
      const values = new Float32Array(heads * vHeadDim * kvLoraRank);
      for (let i = 0; i < keys.length; i++) {
        const [c, row] = [Math.floor(i / qkNopeHeadDim) % kvLoraRank, i % qkNopeHeadDim];
        keys[i] = at(Math.floor(i / qkNopeHeadDim / kvLoraRank), row, c);
      }
      for (let i = 0; i < values.length; i++) {
        const row = Math.floor(i / kvLoraRank);
        values[i] = at(
          Math.floor(row / vHeadDim),
          qkNopeHeadDim + (row % vHeadDim),
          i % kvLoraRank,
        );
      }
      tensors.delete(`${blk}.attn_kv_b.weight`);
      const add = (name: string, shape: number[], floats: Float32Array): unknown =>
        tensors.set(name, { name, type: "F32", shape, data: new Uint8Array(floats.buffer) });
      add(`${blk}.attn_k_b.weight`, [heads, kvLoraRank, qkNopeHeadDim], keys);
      add(`${blk}.attn_v_b.weight`, [heads, vHeadDim, kvLoraRank], values);
    }
  });
  const expected = await engineLogits(await loadEngine(joined), tokens);
  const actual = await engineLogits(await loadEngine(split), tokens);
  assertAtMost(rowsError(actual, expected), 0, "difference");
});

test.run();
