/** Answers that differ from the request, from a real server: used where sound, else refused. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { PlmError } from "../../src/errors.js";
import type { ByteSource } from "../../src/format/byte-source.js";
import { openGguf } from "../../src/format/gguf.js";
import { HttpClient } from "../../src/sources/http-client.js";
import { Remotes } from "../../src/sources/remotes.js";
import { closeSources, openSources, openWith } from "../../src/sources/source.js";
import { sampleFile, sampleTensors } from "../format/support/sample.js";
import { TestEnvironment } from "./support/environment.js";
import { errorOf } from "./support/error-of.js";
import { type FileServer, type ServerOptions, serveFiles } from "./support/server.js";

/** 3 MiB without repeated parts: more than a connection holds unread. */
const file = new Uint8Array(3 << 20).map((_, i) => (i * 31) ^ (i >> 8) ^ (i >> 16));

type Instead = NonNullable<ServerOptions["instead"]>;

async function withFile(
  options: ServerOptions,
  body: (server: FileServer, open: (path?: string) => Promise<ByteSource>) => Promise<void>,
): Promise<void> {
  const server = await serveFiles({ "/file": file, "/m.gguf": sampleFile() }, options);
  const open = async (path = "file"): Promise<ByteSource> =>
    (
      await openWith(
        new Remotes({}, new HttpClient({}, new TestEnvironment())),
        new URL(path, server.url),
      )
    )[0];
  try {
    await body(server, open);
  } finally {
    await server.close();
  }
}

/** Headers of the first answer, and of all later ones. */
function fields(first: Record<string, string>, later: Record<string, string>): Instead {
  return (count, _, response) => {
    const set = Object.entries(count === 1 ? first : later);
    for (const [name, value] of set) response.setHeader(name, value);
    return false;
  };
}

/** A whole answer to every request except the first. */
function later(answer: (response: ServerResponse, request: IncomingMessage) => void): Instead {
  return (count, request, response) => {
    if (count === 1) return false;
    answer(response, request);
    return true;
  };
}

/** Reads past the reach of the first connection, and compares. */
async function readFar(source: ByteSource): Promise<void> {
  const offset = 2 << 20;
  const target = new Uint8Array(5000);
  assert.is(await source.read(offset, target), target.length);
  assert.equal(target, file.slice(offset, offset + target.length));
  await source.close();
}

/** Every refused answer here is an unreadable file. */
const unreadableOf = (promise: Promise<unknown>): Promise<PlmError> =>
  errorOf(promise, "UNREADABLE_FILE");

test("ranges are requested without a coding", async () => {
  const seen: (string | undefined)[] = [];
  const instead: Instead = (_, { headers }) => seen.push(String(headers["accept-encoding"])) < 0;
  await withFile({ instead }, async (_, open) => readFar(await open()));
  assert.is(seen.length, 2);
  for (const value of seen) assert.match(value!, /^identity(, *identity)*$/);
});

test("a server that encodes its ranges is read from front to back", async () => {
  const zipped = gzipSync(sampleFile());
  const instead: Instead = (_, { headers }, response) => {
    const [, start] = /^bytes=(\d+)-$/.exec(headers.range ?? "") ?? [];
    response.setHeader("Content-Encoding", "GZip");
    if (start !== undefined) {
      const range = `bytes ${start}-${zipped.length - 1}/${zipped.length}`;
      response.writeHead(206, { "Content-Range": range }).end(zipped.subarray(Number(start)));
    } else response.end(zipped);
    return true;
  };
  await withFile({ instead }, async ({ url, requests }) => {
    const gguf = await openGguf(await openSources(new URL("m.gguf", url)));
    assert.equal(requests, ["bytes=0-", ""]);
    assert.is(gguf.sources[0].size, sampleFile().length);
    for (const { name, data } of sampleTensors()) {
      const { offset, byteLength } = gguf.tensors.get(name)!;
      const bytes = new Uint8Array(byteLength);
      await gguf.sources[0].read(offset, bytes);
      assert.equal(bytes, data, name);
    }
    await closeSources(gguf.sources);
  });
});

test("a later range that is encoded is refused", async () => {
  const instead = later((response) => {
    const end = file.length - 1;
    const range = { "Content-Range": `bytes ${2 << 20}-${end}/${file.length}`, ETag: '"same"' };
    response.writeHead(206, { ...range, "Content-Encoding": "gzip" }).end(gzipSync(file));
  });
  await withFile({ instead }, async (_, open) => {
    const source = await open();
    assert.match((await unreadableOf(readFar(source))).message, "a coded one");
    await source.close();
  });
});

test("fields that say the same in other words", async () => {
  const range = (unit: string): Record<string, string> => ({
    "Content-Range": `${unit}${2 << 20}-${file.length - 1}/${file.length}`,
  });
  const date = "Sun, 06 Nov 1994 08:49:37 GMT";
  const same: [first: Record<string, string>, later: Record<string, string>][] = [
    [{ ETag: 'W/"a"' }, { ETag: '"a"' }],
    [{ ETag: '"a"' }, { ETag: 'W/"a"' }],
    [{}, range("Bytes ")],
    [{}, range("BYTES  ")],
    [{}, { "Content-Range": `bytes ${2 << 20}-${file.length - 1}/*` }],
    [{}, { "Content-Range": `bytes ${(2 << 20) - 700}-${file.length - 1}/${file.length}` }],
    [{ "Content-Encoding": "identity" }, { "Content-Encoding": "Identity" }],
  ];
  for (const [first, other] of same) {
    const isEarly = JSON.stringify(other).includes(String((2 << 20) - 700));
    const instead: Instead = (count, request, response) => {
      fields(first, other)(count, request, response);
      if (count > 1 && isEarly) {
        response.writeHead(206).end(file.subarray((2 << 20) - 700));
        return true;
      }
      return false;
    };
    await withFile({ instead }, async (_, open) => readFar(await open()));
  }
  const dated = later((response) => {
    response.removeHeader("ETag");
    const headers = { "Last-Modified": "Sunday, 06-Nov-94 08:49:37 GMT", ...range("bytes ") };
    response.writeHead(206, headers).end(file.subarray(2 << 20));
  });
  const instead: Instead = (count, request, response) => {
    response.setHeader("Last-Modified", date);
    return dated(count, request, response);
  };
  await withFile({ instead }, async (_, open) => readFar(await open()));
});

test("a file that changed in the middle", async () => {
  const total = file.length + 1;
  const changes: [first: Record<string, string>, later: Record<string, string>][] = [
    [{ ETag: '"a"' }, { ETag: '"b"' }],
    [{ ETag: '"a"' }, { ETag: 'w/"a"' }],
    [{}, { "Content-Range": `bytes ${2 << 20}-${total - 1}/${total}` }],
  ];
  for (const [first, other] of changes) {
    await withFile({ instead: fields(first, other) }, async (_, open) => {
      const source = await open();
      assert.match((await unreadableOf(readFar(source))).message, "changed while it was read");
      await source.close();
    });
  }
  const shorter = later((response) => {
    response.writeHead(416, { "Content-Range": `bytes */${1 << 20}` }).end();
  });
  await withFile({ instead: shorter }, async (_, open) => {
    const source = await open();
    assert.match((await unreadableOf(readFar(source))).message, "changed while it was read");
    await source.close();
  });
});

test("a whole file instead of a range is used where it is known to be the same", async () => {
  const whole = (headers: Record<string, string>): Instead =>
    later((response) => response.writeHead(200, headers).end(file));
  await withFile({ instead: whole({ ETag: '"same"' }) }, async (_, open) => readFar(await open()));
  await withFile({ instead: whole({ ETag: '"other"' }) }, async (_, open) => {
    assert.match((await unreadableOf(readFar(await open()))).message, "changed while it was read");
  });
  const unknown = later((response) => response.writeHead(200).write(file, () => response.end()));
  await withFile({ instead: unknown }, async (_, open) => {
    assert.match((await unreadableOf(readFar(await open()))).message, "with the whole file");
  });
});

test("ranges that were not requested", async () => {
  const wrong: Record<string, string>[] = [
    { "Content-Range": `bytes ${(2 << 20) + 1}-${file.length - 1}/${file.length}` },
    { "Content-Range": `bytes 0-5/${file.length}` },
    { "Content-Range": `bytes ${2 << 20}-${file.length}/${file.length}` },
    { "Content-Range": `items ${2 << 20}-${file.length - 1}/${file.length}` },
    { "Content-Range": `bytes */${file.length}` },
    { "Content-Range": "bytes" },
    { "Content-Type": "multipart/byteranges; boundary=x" },
  ];
  for (const headers of wrong) {
    await withFile({ instead: fields({}, headers) }, async (_, open) => {
      const source = await open();
      const { message } = await unreadableOf(readFar(source));
      assert.match(message, /expected the bytes from 2097152, got|with several \(multipart\)/);
      await source.close();
    });
  }
});

test("a web page is not a model: a login, or a page for a missing file", async () => {
  for (const type of ["text/html", "Text/HTML; charset=utf-8", "application/xhtml+xml"]) {
    const instead: Instead = (_, { url }, response) => {
      if (url === "/login?next=s3cret") {
        response.writeHead(200, { "Content-Type": type }).end("<!doctype html>");
      } else response.writeHead(302, { Location: "/login?next=s3cret" }).end();
      return true;
    };
    await withFile({ instead }, async (_, open) => {
      const { message } = await unreadableOf(open());
      assert.match(message, /\/file: expected a file, got a web page \(.*\) from http:.*\/login/);
      assert.not.match(message, "s3cret");
    });
  }
  const page = later((response) =>
    response.writeHead(200, { "Content-Type": "text/html", ETag: '"same"' }).end(file),
  );
  await withFile({ instead: page }, async (_, open) => {
    assert.match((await unreadableOf(readFar(await open()))).message, "a web page");
  });
});

test("an empty file, and answers without a body", async () => {
  await withFile(
    { instead: (_, __, response) => !!response.writeHead(416).end() },
    async (_, open) => assert.match((await unreadableOf(open())).message, "the file is empty"),
  );
  await withFile(
    { instead: (_, __, response) => !!response.writeHead(204).end() },
    async (_, open) => assert.match((await unreadableOf(open())).message, "answered 204"),
  );
});

test.run();
