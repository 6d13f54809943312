/** URLs, against a local server that behaves well, badly, or without ranges. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { ByteSource } from "../../src/format/byte-source.js";
import { openGguf } from "../../src/format/gguf.js";
import { encodeGguf, type MetadataEntry } from "../../src/format/writer.js";
import { HttpClient } from "../../src/sources/http-client.js";
import { Remotes } from "../../src/sources/remotes.js";
import { closeSources, openSources, openWith } from "../../src/sources/source.js";
import { sampleFile, sampleTensors } from "../format/support/sample.js";
import { TestEnvironment } from "./support/environment.js";
import { errorOf } from "./support/error-of.js";
import { type FileServer, type ServerOptions, serveFiles } from "./support/server.js";

/** 5 MiB without repeated parts. */
const large = new Uint8Array(5 << 20).map((_, i) => (i * 31) ^ (i >> 8) ^ (i >> 16));

/** Runs `body` against a server of the sample as /m.gguf and of `large` as /large. */
async function withServer(
  options: ServerOptions,
  body: (server: FileServer) => Promise<void>,
): Promise<void> {
  const server = await serveFiles({ "/m.gguf": sampleFile(), "/large": large }, options);
  try {
    await body(server);
  } finally {
    await server.close();
  }
}

async function checkModel(url: URL | string): Promise<void> {
  const gguf = await openGguf(await openSources(url));
  for (const { name, data } of sampleTensors()) {
    const info = gguf.tensors.get(name)!;
    const bytes = new Uint8Array(info.byteLength);
    assert.is(await gguf.sources[0].read(info.offset, bytes), bytes.length, name);
    assert.equal(bytes, data, name);
  }
  await closeSources(gguf.sources);
}

async function checkRead(source: ByteSource, offset: number, length: number): Promise<void> {
  const target = new Uint8Array(length);
  const expected = large.subarray(offset, offset + length);
  assert.is(await source.read(offset, target), expected.length, `at ${offset}`);
  const same = expected.every((byte, i) => byte === target[i]);
  assert.ok(same, `${length} bytes at ${offset}`);
}

test("a model by URL, with ranges and without", async () => {
  for (const options of [{}, { ranges: false }, { ranges: false, chunked: true }]) {
    await withServer(options, async ({ url }) => {
      await checkModel(new URL("m.gguf?download=true", url));
      await checkModel(new URL("m.gguf", url).href);
    });
  }
});

test("ranges: any order, one request for reading on", async () => {
  await withServer({}, async ({ url, requests }) => {
    const [source] = await openSources(new URL("large", url));
    assert.is(source.size, large.length);
    assert.is(source.sequential, false);
    await checkRead(source, 0, 1000);
    await checkRead(source, 1000, 1 << 20);
    await checkRead(source, 1_100_000, 1000);
    assert.equal(requests, ["bytes=0-"]);
    await checkRead(source, 10, 50);
    await checkRead(source, 4 << 20, 1 << 21);
    await checkRead(source, large.length, 10);
    assert.equal(requests, ["bytes=0-", "bytes=10-", `bytes=${4 << 20}-`]);
    await source.close();
  });
});

test("without ranges: forward only", async () => {
  await withServer({ ranges: false }, async ({ url }) => {
    const [source] = await openSources(new URL("large", url));
    assert.is(source.size, large.length);
    assert.is(source.sequential, true);
    await checkRead(source, 100, 1000);
    await checkRead(source, 1 << 20, 1 << 21);
    assert.is((await errorOf(source.read(0, new Uint8Array(1)))).code, "INVALID_ARGUMENT");
    await source.close();
  });
});

test("a broken connection is resumed where it broke", async () => {
  await withServer({ breakAfterBytes: 700_000 }, async ({ url, requests }) => {
    const [source] = await openSources(new URL("large", url));
    await checkRead(source, 0, large.length);
    assert.ok(requests.length >= 8, `${requests.length} requests`);
    await source.close();
  });
});

test("a server that caps its answers gets further requests", async () => {
  await withServer({ capBytes: 1 << 20 }, async ({ url, requests }) => {
    const [source] = await openSources(new URL("large", url));
    assert.is(source.size, large.length);
    await checkRead(source, 0, large.length);
    assert.is(requests.length, 5);
    await source.close();
  });
});

test("a connection that gives nothing ends in an error", async () => {
  await withServer({ breakAfterBytes: 0 }, async ({ url }) => {
    const environment = new TestEnvironment();
    const [source] = await openWith(
      new Remotes({}, new HttpClient({}, environment)),
      new URL("large", url),
    );
    const error = await errorOf(source.read(0, new Uint8Array(9)));
    assert.is(error.code, "UNREADABLE_FILE");
    assert.equal(environment.pausesMs, [1000, 2000, 4000, 8000, 16_000]);
  });
});

test("a body that breaks off without ranges is an error", async () => {
  await withServer({ ranges: false, breakAfterBytes: 100_000 }, async ({ url }) => {
    const [source] = await openSources(new URL("large", url));
    const error = await errorOf(source.read(0, new Uint8Array(large.length)));
    assert.is(error.code, "UNREADABLE_FILE");
  });
});

test("a file that changes while it is read is an error", async () => {
  await withServer({ changing: true }, async ({ url }) => {
    const [source] = await openSources(new URL("large", url));
    await checkRead(source, 1000, 10);
    const error = await errorOf(source.read(0, new Uint8Array(10)));
    assert.is(error.code, "UNREADABLE_FILE");
    assert.match(error.message, "changed while it was read");
    await source.close();
  });
});

test("no such file, and no such server", async () => {
  let gone: URL | undefined;
  await withServer({}, async ({ url }) => {
    gone = new URL("m.gguf", url);
    const missing = new URL("none.gguf?token=secret", url);
    const error = await errorOf(openSources(missing));
    assert.is(error.code, "UNREADABLE_FILE");
    assert.match(error.message, /none\.gguf: the server answered 404/);
    assert.not.match(error.message, "secret");
  });
  const error = await errorOf(openSources(gone!));
  assert.is(error.code, "UNREADABLE_FILE");
  assert.match(error.message, "ECONNREFUSED");
});

test("an aborted read rejects with the reason, and the source stays usable", async () => {
  await withServer({}, async ({ url }) => {
    const [source] = await openSources(new URL("large", url));
    const controller = new AbortController();
    const reason = new Error("stop");
    const reading = source.read(2 << 20, new Uint8Array(9), controller.signal);
    controller.abort(reason);
    assert.is(await reading.catch((thrown) => thrown), reason);
    await checkRead(source, 5, 1 << 20);
    await source.close();
    const opening = openSources(new URL("large", url), AbortSignal.abort(reason));
    assert.is(await opening.catch((thrown) => thrown), reason);
  });
});

test("split files by URL, with ranges and without", async () => {
  const tensors = sampleTensors();
  const files: Record<string, Uint8Array> = {};
  for (let part = 0; part < 12; part++) {
    const keys: MetadataEntry[] = [
      { key: "split.no", type: "uint16", value: part },
      { key: "split.count", type: "uint16", value: 12 },
    ];
    const name = `/m-${String(part + 1).padStart(5, "0")}-of-00012.gguf`;
    files[name] = encodeGguf(keys, [tensors[part]]);
  }
  for (const ranges of [true, false]) {
    const server = await serveFiles(files, { ranges });
    const opening = openSources(new URL("m-00003-of-00012.gguf", server.url));
    if (ranges) {
      const gguf = await openGguf(await opening);
      for (const { name, data } of tensors) {
        const info = gguf.tensors.get(name)!;
        const bytes = new Uint8Array(info.byteLength);
        await gguf.sources[info.file].read(info.offset, bytes);
        assert.equal(bytes, data, name);
      }
      await closeSources(gguf.sources);
    } else {
      assert.match((await errorOf(opening)).message, /must honour ranges/);
    }
    await server.close();
  }
});

test.run();
