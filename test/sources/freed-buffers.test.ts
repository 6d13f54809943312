/** Buffers that are freed after their last use: the package's own, never the caller's. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import platform from "#platform";
import { openSources } from "../../src/sources/source.js";
import { serveFiles } from "./support/server.js";

const BYTES = Uint8Array.from({ length: 300_000 }, (_, i) => i * 7 + (i >> 8));

const { freeBuffer } = platform;
let freed = 0;
test.before(() => {
  // As in WebKit.
  platform.freeBuffer = (buffer) => {
    freed += buffer.byteLength;
    structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
  };
});
test.after(() => {
  platform.freeBuffer = freeBuffer;
});

/** Reads all of a source in pieces that fit no chunk; returns how many bytes were freed. */
async function read(source: Parameters<typeof openSources>[0], options = {}): Promise<number> {
  freed = 0;
  const [opened] = await openSources(source, undefined, options);
  const found = new Uint8Array(BYTES.length);
  for (let at = 0; at < found.length; at += 7_001) {
    await opened.read(at, found.subarray(at, at + 7_001));
  }
  await opened.close();
  assert.equal(found, BYTES);
  return freed;
}

async function* pieces(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

test("chunks of downloads and blobs are freed once they are copied", async () => {
  const server = await serveFiles({ "/a": BYTES });
  assert.ok((await read(`${server.url}a`)) >= BYTES.length);
  await server.close();
  assert.ok((await read(new Blob([BYTES]))) >= BYTES.length);
});

test("a buffer that a blob's stream fills again and again stays", async () => {
  const { fillsBuffers } = platform;
  Object.assign(platform, { fillsBuffers: true });
  try {
    const large = new Uint8Array(5 << 20).map((_, i) => i * 7);
    const [opened] = await openSources(new Blob([large]));
    const found = new Uint8Array(large.length);
    for (let at = 0; at < found.length; at += 1 << 20) {
      await opened.read(at, found.subarray(at, at + (1 << 20)));
    }
    await opened.close();
    assert.is(Buffer.compare(found, large), 0);
  } finally {
    Object.assign(platform, { fillsBuffers });
  }
});

test("the caller's chunks stay: streams, responses, and those of the caller's fetch", async () => {
  const chunks = [BYTES.slice(0, 100_000), BYTES.slice(100_000)];
  const stream = (): ReadableStream<Uint8Array> =>
    new ReadableStream({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(chunk);
        controller.close();
      },
    });
  assert.is(await read(stream()), 0);
  assert.is(await read(pieces(chunks)), 0, "an iterable");
  assert.is(await read(new Response(stream())), 0);
  assert.is(await read("http://localhost/a", { fetch: async () => new Response(stream()) }), 0);
  assert.equal(Buffer.concat(chunks).length, BYTES.length);
});

test.run();
