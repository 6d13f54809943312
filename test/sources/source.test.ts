/** Every kind of source without a network gives the same bytes, in any order it allows. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { PlmError } from "../../src/errors.js";
import type { ByteSource } from "../../src/format/byte-source.js";
import { openGguf } from "../../src/format/gguf.js";
import { closeSources, type ModelSource, openSources } from "../../src/sources/source.js";
import { sampleFile, sampleTensors } from "../format/support/sample.js";
import { seededRandom } from "../support/random.js";

const file = sampleFile();

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => "no error",
    (thrown: unknown) => thrown,
  );
  return error instanceof PlmError ? error.code : String(error);
}

/** A stream of the sample file in chunks of the given sizes, over and over; 0 is an empty chunk. */
function streamOf(...chunkSizes: number[]): ReadableStream<Uint8Array> {
  let start = 0;
  let turn = 0;
  return new ReadableStream({
    pull(controller) {
      if (start === file.length) return controller.close();
      const end = Math.min(file.length, start + chunkSizes[turn++ % chunkSizes.length]);
      controller.enqueue(file.slice(start, end));
      start = end;
    },
  });
}

/** Opens the source as a model file and compares all tensors, read in the order of the file. */
async function checkModel(source: ModelSource): Promise<void> {
  const sources = await openSources(source);
  const gguf = await openGguf(sources);
  assert.is(gguf.metadata.size, 21);
  for (const { name, data } of sampleTensors()) {
    const info = gguf.tensors.get(name)!;
    const bytes = new Uint8Array(info.byteLength);
    assert.is(await gguf.sources[info.file].read(info.offset, bytes), bytes.length, name);
    assert.equal(bytes, data, name);
  }
  await closeSources(gguf.sources);
}

/** Reads at random places, past the end too. */
async function checkRandomReads(source: ByteSource): Promise<void> {
  const random = seededRandom(5);
  assert.is(source.size, file.length);
  assert.is(source.sequential, false);
  for (let i = 0; i < 200; i++) {
    const offset = Math.floor(random() * (file.length + 20));
    const target = new Uint8Array(Math.floor(random() * 300)).fill(0xee);
    const expected = file.subarray(offset, offset + target.length);
    assert.is(await source.read(offset, target), expected.length);
    assert.equal(target.subarray(0, expected.length), expected);
    assert.ok(target.subarray(expected.length).every((byte) => byte === 0xee));
  }
}

test("paths and file URLs", async () => {
  const folder = mkdtempSync(join(tmpdir(), "plm source é-"));
  try {
    const path = join(folder, "model #1.gguf");
    writeFileSync(path, file);
    for (const source of [path, pathToFileURL(path), pathToFileURL(path).href]) {
      await checkModel(source);
      const [opened] = await openSources(source);
      await checkRandomReads(opened);
      await opened.close();
    }
    assert.is(await codeOf(openSources(folder)), "UNREADABLE_FILE");
    const missing = join(folder, "missing.gguf");
    const error = await openSources(missing).catch((thrown) => thrown);
    assert.is(error.code, "UNREADABLE_FILE");
    assert.ok(error.message.includes(missing), error.message);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a path into shared memory far from its start", async () => {
  const folder = mkdtempSync(join(tmpdir(), "plm-source-"));
  try {
    const path = join(folder, "model.gguf");
    writeFileSync(path, file);
    const [source] = await openSources(path);
    for (const shared of [false, true]) {
      const memory = new WebAssembly.Memory({ initial: 40000, maximum: 40000, shared });
      const at = 2 ** 31 + 12345;
      const target = new Uint8Array(memory.buffer, at, file.length);
      assert.is(await source.read(0, target), file.length);
      assert.equal(target.slice(), file);
      assert.is(new Uint8Array(memory.buffer, at - 1, 1)[0], 0);
    }
    await source.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("bytes and blobs", async () => {
  const shifted = new Uint8Array(file.length + 3);
  shifted.set(file, 3);
  const kinds = [file, file.buffer, shifted.subarray(3), new Blob([file])];
  for (const source of kinds) {
    await checkModel(source);
    await checkRandomReads((await openSources(source))[0]);
  }
});

test("a large read from a blob comes in pieces", async () => {
  const bytes = new Uint8Array(9 << 20).map((_, i) => i * 7 + (i >> 10));
  const [source] = await openSources(new Blob([bytes]));
  const target = new Uint8Array(bytes.length);
  assert.is(await source.read(1, target), bytes.length - 1);
  assert.ok(target.subarray(0, -1).every((byte, i) => byte === bytes[i + 1]));
});

test("a blob with fewer bytes than it says: its file was cut", async () => {
  const whole = new Blob([file]);
  const cut = {
    size: file.length + 50,
    slice: (from: number, to: number) => whole.slice(from, to),
  };
  const [source] = await openSources(cut as unknown as ModelSource);
  const target = new Uint8Array(file.length + 20);
  assert.is(await source.read(10, target), file.length - 10);
  assert.equal(target.subarray(0, file.length - 10), file.subarray(10));
  assert.is(await source.read(file.length + 5, target), 0);
});

test("streams of any chunk size", async () => {
  await checkModel(streamOf(file.length));
  await checkModel(streamOf(1));
  await checkModel(streamOf(7, 0, 1, 333));
});

test("a stream reads forward only, but bytes that came with the header stay", async () => {
  const [stream] = await openSources(streamOf(100));
  assert.is(stream.sequential, true);
  assert.is(stream.size, undefined);
  const ten = new Uint8Array(10);
  assert.is(await stream.read(50, ten), 10);
  assert.equal(ten, file.slice(50, 60));
  assert.is(await stream.read(500, ten), 10);
  assert.equal(ten, file.slice(500, 510));
  assert.is(await codeOf(stream.read(509, ten)), "INVALID_ARGUMENT");
  assert.is(await stream.read(file.length - 4, ten), 4);
  assert.is(await stream.read(file.length + 4, ten), 0);

  const gguf = await openGguf(await openSources(streamOf(100)));
  const infos = [...gguf.tensors.values()].reverse();
  for (const info of infos) {
    const bytes = new Uint8Array(info.byteLength);
    assert.is(await gguf.sources[0].read(info.offset, bytes), bytes.length);
    assert.equal(bytes, file.slice(info.offset, info.offset + bytes.length), info.name);
  }
  assert.is(await codeOf(gguf.sources[0].read(0, ten)), "INVALID_ARGUMENT");
});

test("a read of a kept header continues in the stream", async () => {
  const data = new Uint8Array(3 << 20).map((_, i) => i ^ (i >> 9));
  const whole = new Blob([file, data]);
  const gguf = await openGguf(await openSources(whole.stream() as ReadableStream<Uint8Array>));
  const target = new Uint8Array(data.length);
  assert.is(await gguf.sources[0].read(file.length, target), data.length);
  assert.ok(target.every((byte, i) => byte === data[i]));
});

test("an aborted read of a stream loses no bytes", async () => {
  let feed: ReadableStreamDefaultController<Uint8Array>;
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      feed = controller;
    },
  });
  const [source] = await openSources(stream);
  const controller = new AbortController();
  const target = new Uint8Array(4);
  const reading = source.read(0, target, controller.signal).catch((thrown: unknown) => thrown);
  const reason = new Error("no longer wanted");
  controller.abort(reason);
  assert.is(await reading, reason);
  feed!.enqueue(Uint8Array.of(1, 2, 3, 4));
  feed!.close();
  assert.is(await source.read(0, target), 4);
  assert.equal(target, Uint8Array.of(1, 2, 3, 4));
});

test("a stream that fails or gives no bytes", async () => {
  const failing = new ReadableStream<Uint8Array>({ pull: (c) => c.error(new Error("unplugged")) });
  const [source] = await openSources(failing);
  const error = await source.read(0, new Uint8Array(1)).catch((thrown) => thrown);
  assert.is(error.code, "UNREADABLE_FILE");
  assert.match(error.message, "unplugged");
  const text = new ReadableStream({ pull: (c) => c.enqueue("GGUF") });
  const [ofText] = await openSources(text as ReadableStream<Uint8Array>);
  assert.is(await codeOf(ofText.read(0, new Uint8Array(1))), "INVALID_ARGUMENT");
});

test("a caller's ByteSource is used as it is", async () => {
  const own: ByteSource = {
    name: "own",
    size: undefined,
    sequential: false,
    async read(offset, target) {
      const found = file.subarray(offset, offset + target.length);
      target.set(found);
      return found.length;
    },
    async close() {},
  };
  assert.is((await openSources(own))[0], own);
  await checkModel(own);
});

test("messages show no credentials", async () => {
  for (const url of [
    "http://user:s3cret@127.0.0.1:1/m.gguf?k=s3cret",
    "http://user:s3cret@h:99999/",
  ]) {
    const error = await openSources(url).catch((thrown) => thrown);
    assert.is(error.code, "INVALID_ARGUMENT");
    assert.not.match(error.message, "s3cret");
  }
});

test("closing continues after one failure", async () => {
  const own = { name: "", size: 0, sequential: false, read: async () => 0 };
  let closed = 0;
  const throwing = (): Promise<void> => {
    throw new Error("no");
  };
  const closing: ByteSource = { ...own, close: async () => void closed++ };
  await closeSources([{ ...own, close: throwing }, closing]);
  assert.is(closed, 1);
});

test("lists flatten; what is not a source is refused, and nothing stays open", async () => {
  assert.is((await openSources([file, [new Blob([file]), [file]]])).length, 3);
  for (const wrong of [[], [[]], 5, null, undefined, {}, "http://["]) {
    assert.is(await codeOf(openSources(wrong as ModelSource)), "INVALID_ARGUMENT", String(wrong));
  }
  const half = { name: "half", sequential: false, read: async () => 0 };
  assert.is(await codeOf(openSources([file, half as unknown as ModelSource])), "INVALID_ARGUMENT");
  let closed = 0;
  const own = { name: "", size: 0, sequential: false, read: async () => 0 };
  const closing: ByteSource = { ...own, close: async () => void closed++ };
  assert.is(await codeOf(openSources([closing, "missing.gguf"])), "UNREADABLE_FILE");
  assert.is(closed, 1);
  const reason = new Error("stopped");
  const aborted = await openSources(file, AbortSignal.abort(reason)).catch((thrown) => thrown);
  assert.is(aborted, reason);
});

test.run();
