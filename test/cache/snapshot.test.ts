import { test } from "uvu";
import * as assert from "uvu/assert";
import { readPages, readSnapshot } from "../../src/cache/read-snapshot.js";
import { MOST_MESSAGES_BYTES } from "../../src/cache/snapshot.js";
import { SnapshotWriter } from "../../src/cache/write-snapshot.js";
import { crc32 } from "../../src/format/crc32.js";
import { PAGE_ROWS } from "../../src/kernels/packed.js";
import { BytesSource } from "../../src/sources/bytes-source.js";
import { StreamSource } from "../../src/sources/stream-source.js";
import { assertRejects, assertThrows, rejection } from "../model/support/engine.js";
import { joined } from "../support/joined.js";
import { seededRandom } from "../support/random.js";
import { CountingSource, heldOf, MODEL, partsOf, restored, saved } from "./support/snapshots.js";

/** The bytes in chunks of random lengths. */
function* chunksOf(bytes: Uint8Array, random: () => number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; ) {
    const end = at + Math.floor(random() ** 3 * 900);
    yield bytes.subarray(at, end);
    at = end;
  }
}

test("a saved session is restored, whatever its shape and source", async () => {
  const random = seededRandom(11);
  const lengths = [0, 1, 63, 64, 65, 127, 128, 129, 192, 200];
  for (let round = 0; round < 120; round++) {
    const upTo = (n: number): number => Math.floor(random() * n);
    const model = { ...MODEL, layers: 1 + upTo(5), rowBytes: 1 + upTo(40) };
    const messages = [undefined, "", '[{"role":"user","content":"\ufeffé😀"}]'][round % 3];
    const held = heldOf(model, lengths[round % lengths.length], round, messages);
    const bytes = saved(model, held);
    const stream = new StreamSource(chunksOf(bytes, random), "stream");
    assert.equal(await restored(new BytesSource(bytes), model), held, `round ${round}`);
    assert.equal(await restored(stream, model), held, `round ${round}, as a stream`);
  }
});

test("the size is known beforehand, and pieces are in memory of their own", () => {
  const held = heldOf(MODEL, 150);
  const writer = new SnapshotWriter(partsOf(MODEL, held));
  const all = [...writer.pieces()];
  assert.is(all.length, 4);
  assert.is(joined(all).length, writer.totalBytes);
  const bytes = new Uint8Array(writer.totalBytes);
  assert.ok([...writer.writeTo(bytes)].length >= 1);
  assert.equal(joined(all), bytes);
  for (const { buffer, byteLength } of all) assert.is(buffer.byteLength, byteLength);
});

test("the place of every page follows from the header", () => {
  const held = heldOf(MODEL, 150, 3, "[]");
  const bytes = saved(MODEL, held);
  const { layers, rowBytes } = MODEL;
  const view = new DataView(bytes.buffer);
  const headerBytes = view.getUint32(12, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(24, 24 + headerBytes)));
  const names = header.sections.map(({ name }: { name: string }) => name);
  assert.equal(names, ["tokens", "messages", "pages"]);
  const pagesFrom = 24 + headerBytes + 4 + header.sections[0].bytes + header.sections[1].bytes;
  assert.is(pagesFrom + header.sections[2].bytes, bytes.length);
  for (let index = 0; index < 3; index++) {
    const rows = Math.min(PAGE_ROWS, 150 - index * PAGE_ROWS);
    for (let layer = 0; layer < layers; layer++) {
      const before = index * layers * (PAGE_ROWS * rowBytes + 4);
      const at = pagesFrom + before + layer * (rows * rowBytes + 4);
      const page = bytes.subarray(at, at + rows * rowBytes);
      const from = index * PAGE_ROWS * rowBytes;
      assert.equal(page, held.rows[layer].subarray(from, from + rows * rowBytes));
      assert.is(
        view.getUint32(at + rows * rowBytes, true),
        crc32(page, (3 << 30) + at - pagesFrom),
      );
    }
  }
});

test("a save that goes on from another has its pages, whatever its messages", () => {
  const held = heldOf(MODEL, 150, 3, "[]");
  const tokens = held.tokens.slice(0, 128);
  const rows = held.rows.map((row) => row.subarray(0, 128 * MODEL.rowBytes));
  const before = saved(MODEL, { tokens, rows, messages: undefined });
  const after = saved(MODEL, held);
  const pagesBytes = 2 * MODEL.layers * (PAGE_ROWS * MODEL.rowBytes + 4);
  const restBytes = MODEL.layers * ((150 - 128) * MODEL.rowBytes + 4);
  const same = after.subarray(-pagesBytes - restBytes, -restBytes);
  assert.equal(same, before.subarray(-pagesBytes));
});

test("pages are read a few megabytes at a time", async () => {
  const model = { ...MODEL, layers: 32, rowBytes: 1168 };
  const source = new CountingSource(saved(model, heldOf(model, 130)), true);
  await restored(source, model);
  assert.is(source.reads, 2 + 1 + 3 + 1);
  assert.is(source.largestRead, 32 * (64 * 1168 + 4));
  const wide = { ...model, rowBytes: 4000 };
  const split = new CountingSource(saved(wide, heldOf(wide, 64)), false);
  await restored(split, wide);
  assert.is(split.reads, 2 + 1 + 2);
  assert.ok(split.largestRead <= 4 << 20);
});

test("a session of another model or cache, or longer than the context, is refused", async () => {
  const bytes = saved(MODEL, heldOf(MODEL, 100));
  const refuse = async (change: object, code: "UNSUPPORTED_FILE" | "CONTEXT_FULL", text: string) =>
    assertRejects(readSnapshot(new BytesSource(bytes), { ...MODEL, ...change }), code, text);
  await refuse(
    { fingerprint: "feedfeedfeedfeed" },
    "UNSUPPORTED_FILE",
    'session: expected one of model "feedfeedfeedfeed", got "0123456789abcdef"',
  );
  await refuse({ cacheType: "f32" }, "UNSUPPORTED_FILE", 'one of cache type "f32", got "i16"');
  await refuse({ rowBytes: 8 }, "UNSUPPORTED_FILE", "one of row size 8, got 6");
  await refuse({ layers: 3 }, "UNSUPPORTED_FILE", "one of layer count 3, got 2");
  await refuse({ contextLength: 99 }, "CONTEXT_FULL", "at most 99 tokens (the context), got 100");
  const snapshot = await readSnapshot(new BytesSource(bytes), { ...MODEL, contextLength: 100 });
  assert.is(snapshot.tokens.length, 100);
});

test("a token outside the vocabulary is refused", async () => {
  const held = heldOf(MODEL, 3);
  held.tokens[1] = MODEL.vocabSize;
  const source = new BytesSource(saved(MODEL, held));
  await assertRejects(readSnapshot(source, MODEL), "INVALID_FILE", "tokens below 1000, got 1000");
});

test("the size of messages is limited", () => {
  const messages = "x".repeat(MOST_MESSAGES_BYTES + 1);
  const parts = partsOf(MODEL, heldOf(MODEL, 1, 1, messages));
  assertThrows(() => new SnapshotWriter(parts), "INVALID_ARGUMENT", "messages: expected at most");
});

test("an abort is noticed between reads", async () => {
  const source = new CountingSource(saved(MODEL, heldOf(MODEL, 150)), false);
  const controller = new AbortController();
  const reason = new Error("enough");
  const snapshot = await readSnapshot(source, MODEL, controller.signal);
  const { reads } = source;
  const read = async (): Promise<void> => {
    for await (const { index } of readPages(source, snapshot, controller.signal)) {
      if (index === 1) controller.abort(reason);
    }
  };
  assert.is(await rejection(read()), reason);
  assert.is(source.reads, reads + 2);
  assert.is(await rejection(readSnapshot(source, MODEL, controller.signal)), reason);
  assert.is(source.reads, reads + 2);
});

test.run();
