/** Further kinds of sources, each made by the runtime itself, and what is refused. */
import { createReadStream, mkdtempSync, openAsBlob, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { ErrorCode } from "../../src/errors.js";
import { openGguf } from "../../src/format/gguf.js";
import { inspectModel, loadModel } from "../../src/generation/load-model.js";
import type { ResponseLike } from "../../src/sources/model-source.js";
import { closeSources, type ModelSource, openSources } from "../../src/sources/source.js";
import { SAMPLE_METADATA, sampleFile, sampleTensors } from "../format/support/sample.js";
import { errorOf } from "./support/error-of.js";
import { serveFiles } from "./support/server.js";

const file = sampleFile();

/** Opens the source as a model file, compares every tensor, and closes it. */
async function checkModel(source: ModelSource, what: string): Promise<void> {
  const gguf = await openGguf(await openSources(source));
  assert.is(gguf.metadata.size, SAMPLE_METADATA.length, what);
  for (const { name, data } of sampleTensors()) {
    const { offset, byteLength } = gguf.tensors.get(name)!;
    const bytes = new Uint8Array(byteLength);
    assert.is(await gguf.sources[0].read(offset, bytes), byteLength, `${what}: ${name}`);
    assert.equal(bytes, data, `${what}: ${name}`);
  }
  await closeSources(gguf.sources);
}

/** Runs `body` with the sample as a file in a folder of its own. */
async function withFile(body: (path: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "plm-sources-"));
  const path = join(folder, "model.gguf");
  writeFileSync(path, file);
  try {
    await body(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The sample in chunks of a size. */
function* chunks(size: number): Generator<Uint8Array> {
  for (let at = 0; at < file.length; at += size) yield file.slice(at, at + size);
}

test("shared memory, and views of every kind", async () => {
  const shared = new SharedArrayBuffer(file.length + 16);
  new Uint8Array(shared, 8).set(file);
  const whole = new SharedArrayBuffer(file.length);
  new Uint8Array(whole).set(file);
  await checkModel(whole, "SharedArrayBuffer");
  await checkModel(new Uint8Array(shared, 8, file.length), "view of shared memory");
  await checkModel(new DataView(shared, 8, file.length), "DataView of shared memory");
  await checkModel(new DataView(file.buffer), "DataView");
  await checkModel(new Int8Array(file.buffer), "Int8Array");
  await checkModel(Buffer.from(file), "Buffer");
});

test("iterables and async iterables, of any bytes", async () => {
  await checkModel(chunks(100), "generator");
  await checkModel(new Set(chunks(1000)), "Set");
  await checkModel(
    (async function* () {
      for (const chunk of chunks(77)) yield chunk.buffer as ArrayBuffer;
    })(),
    "async generator of ArrayBuffers",
  );
  await checkModel(Readable.from(chunks(300)), "Readable.from");
  const views = (function* (): Generator<DataView> {
    for (const chunk of chunks(9)) yield new DataView(chunk.buffer);
  })();
  await checkModel(views, "generator of DataViews");
  const stream = new ReadableStream<ArrayBuffer>({
    start(controller) {
      for (const chunk of chunks(999)) controller.enqueue(chunk.buffer as ArrayBuffer);
      controller.close();
    },
  });
  await checkModel(stream, "stream of ArrayBuffers");
  await checkModel({ readable: new Blob([file]).stream() } as ModelSource, "owner of a stream");
});

test("files opened by Node", async () => {
  await withFile(async (path) => {
    await checkModel(createReadStream(path, { highWaterMark: 100 }), "createReadStream");
    await checkModel(await openAsBlob(path), "openAsBlob");
    const handle = await open(path);
    await checkModel(handle, "FileHandle");
    await checkModel([handle], "FileHandle in a list");
    assert.is((await handle.stat()).size, file.length, "it is still open");
    await checkModel(handle.createReadStream({ autoClose: false, start: 0 }), "its stream");
    await handle.close().catch(() => {});
    await errorOf(openSources(handle), "UNREADABLE_FILE");
    const folder = await open(tmpdir());
    const { message } = await errorOf(openSources(folder), "UNREADABLE_FILE");
    assert.match(message, "expected a regular file");
    await folder.close();
  });
});

test("a Node stream is ended with its source, read or not", async () => {
  await withFile(async (path) => {
    for (const reads of [false, true]) {
      const stream = createReadStream(path, { highWaterMark: 64 });
      const [source] = await openSources(stream);
      if (reads) await source.read(0, new Uint8Array(10));
      await source.close();
      assert.is(stream.destroyed, true);
    }
    const stream = createReadStream(path);
    await errorOf(openSources([stream, 5 as unknown as ModelSource]), "INVALID_ARGUMENT");
    assert.is(stream.destroyed, true);
  });
  let isOver = false;
  const generator = (function* () {
    try {
      yield* chunks(100);
    } finally {
      isOver = true;
    }
  })();
  const [source] = await openSources(generator);
  await source.read(0, new Uint8Array(10));
  await source.close();
  assert.is(isOver, true);
});

test("closing does not wait for a read that hangs", async () => {
  const hanging = (async function* (): AsyncGenerator<Uint8Array> {
    await new Promise(() => {});
    yield file;
  })();
  const controller = new AbortController();
  const reason = new Error("enough");
  const loading = loadModel(hanging, { signal: controller.signal });
  setImmediate(() => controller.abort(reason));
  assert.is(await loading.catch((thrown) => thrown), reason);
});

test("chunks that are not bytes", async () => {
  await withFile(async (path) => {
    const texts: [ModelSource, string][] = [
      [createReadStream(path, { encoding: "latin1" }), "a string"],
      [new Set(file.subarray(0, 9)) as unknown as ModelSource, "a number"],
      [Readable.from([{}]), "an object of class Object"],
    ];
    for (const [source, got] of texts) {
      const [opened] = await openSources(source);
      const { message } = await errorOf(opened.read(0, new Uint8Array(9)), "INVALID_ARGUMENT");
      assert.is(message, `stream: expected chunks of bytes, got ${got}`);
      await opened.close();
    }
  });
});

test("answers to a fetch", async () => {
  const server = await serveFiles({ "/m.gguf": file });
  const url = new URL("m.gguf?secret=s3cret", server.url);
  const [source] = await openSources(await fetch(url));
  assert.is(source.name, new URL("m.gguf", server.url).href);
  assert.equal([source.size, source.sequential], [file.length, true]);
  await source.close();
  await checkModel(await fetch(url), "fetch");
  await checkModel([await fetch(url)], "fetch in a list");
  await checkModel(new Response(file), "Response of one's own");
  await checkModel(new Response(new Blob([file]).stream() as ReadableStream), "of a stream");

  const refuse = async (response: ResponseLike, code: ErrorCode, text: string): Promise<void> => {
    const { message } = await errorOf(openSources(response), code);
    assert.ok(message.includes(text), message);
    assert.not.match(message, "s3cret");
  };
  await refuse(await fetch(new URL("none?s3cret", server.url)), "UNREADABLE_FILE", "404");
  const headers = { Range: "bytes=10-" };
  await refuse(await fetch(url, { headers }), "UNREADABLE_FILE", "a part (206)");
  const used = await fetch(url);
  await used.arrayBuffer();
  await refuse(used, "INVALID_ARGUMENT", "got a used one");
  const locked = await fetch(url);
  locked.body!.getReader();
  await refuse(locked, "INVALID_ARGUMENT", "a stream without a reader");
  await refuse(new Response(null), "UNREADABLE_FILE", "without a body");
  await refuse(Response.error(), "UNREADABLE_FILE", "opaque");
  const page = new Response("<!doctype html>", { headers: { "Content-Type": "text/html" } });
  await refuse(page, "UNREADABLE_FILE", "a web page");
  await server.close();
});

test("requests that a Node server receives are streams", async () => {
  let received: Promise<void> | undefined;
  const server = createServer((request, response) => {
    received = checkModel(request, "IncomingMessage").finally(() => response.end());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await (await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body: file })).text();
  await received;
  server.close();
  server.closeAllConnections();
});

test("files that a picker gives, and lists of them", async () => {
  const picked = { kind: "file", name: "m.gguf", getFile: async () => new File([file], "m.gguf") };
  await checkModel(picked as ModelSource, "FileSystemFileHandle");
  const list = { 0: new File([file], "m.gguf"), length: 1, [Symbol.toStringTag]: "FileList" };
  await checkModel(list as unknown as ModelSource, "FileList");
});

test("a value that is not a source: the error lists what is accepted", async () => {
  const request = new Request("http://127.0.0.1/");
  const wrong: [unknown, string][] = [
    [5, "a number"],
    [null, "null"],
    [undefined, "nothing"],
    [() => file, "a function"],
    [{}, "an object of class Object"],
    [Promise.resolve(file), "a Promise; await it"],
    [request, "an object of class Request"],
    [new Date(), "an object of class Date"],
    [{ type: "Buffer", data: [...file.subarray(0, 9)] }, "an object of class Object"],
    [[...file.subarray(0, 9)], "a number"],
  ];
  for (const [source, got] of wrong) {
    const error = await errorOf(openSources(source as ModelSource), "INVALID_ARGUMENT");
    const { message, argument } = error;
    assert.is(argument, "source");
    assert.match(message, /^source: expected a path, URL, Response, Blob, .* split file, got /);
    assert.ok(message.endsWith(`, got ${got}`), message);
  }
  const stream = new ReadableStream<Uint8Array>();
  stream.getReader();
  const { message } = await errorOf(openSources(stream), "INVALID_ARGUMENT");
  assert.match(message, "expected a stream without a reader");
});

test("options of the wrong kind are refused by name, before the source is touched", async () => {
  const untouched = {
    [Symbol.iterator]: () => assert.unreachable("the source was touched"),
  } as unknown as ModelSource;
  const wrong: [unknown, string][] = [
    [null, "options: expected an object, got null"],
    [{ signal: new AbortController() }, "signal: expected an AbortSignal, got an object of class"],
    [{ signal: {} }, "signal: expected an AbortSignal, got an object of class Object"],
    [{ onProgress: {} }, "onProgress: expected a function, got an object of class Object"],
    [{ headers: "x" }, "headers: expected names and values, got a string"],
    [{ fetch: "x" }, "fetch: expected a function, got a string"],
  ];
  for (const [options, text] of wrong) {
    for (const call of [loadModel, inspectModel]) {
      const error = await errorOf(call(untouched, options as object), "INVALID_ARGUMENT");
      assert.ok(error.message.startsWith(text), error.message);
      assert.is(error.argument, text.slice(0, text.indexOf(":")));
    }
  }
});

test.run();
