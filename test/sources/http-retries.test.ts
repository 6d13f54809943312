/** Requests that fail temporarily are made again, after pauses. */
import type { ServerResponse } from "node:http";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { ByteSource } from "../../src/format/byte-source.js";
import { HttpClient } from "../../src/sources/http-client.js";
import { REAL_ENVIRONMENT } from "../../src/sources/http-environment.js";
import { Remotes } from "../../src/sources/remotes.js";
import { openWith } from "../../src/sources/source.js";
import { TestEnvironment } from "./support/environment.js";
import { errorOf } from "./support/error-of.js";
import { type FileServer, type ServerOptions, serveFiles } from "./support/server.js";

/** 3 MiB without repeated parts: more than a connection holds unread. */
const file = new Uint8Array(3 << 20).map((_, i) => (i * 31) ^ (i >> 8) ^ (i >> 16));

interface Served {
  server: FileServer;
  environment: TestEnvironment;
  open: (signal?: AbortSignal) => Promise<ByteSource>;
}

async function withFile(
  options: ServerOptions,
  body: (served: Served) => Promise<void>,
): Promise<void> {
  const server = await serveFiles({ "/file": file }, options);
  const environment = new TestEnvironment();
  const url = new URL("file?secret=s3cret", server.url);
  const open = async (signal?: AbortSignal): Promise<ByteSource> =>
    (await openWith(new Remotes({}, new HttpClient({}, environment)), url, signal))[0];
  try {
    await body({ server, environment, open });
  } finally {
    await server.close();
  }
}

/** Answers with a status, and with headers. */
function refuse(response: ServerResponse, status: number, headers = {}): boolean {
  response.writeHead(status, headers).end("busy");
  return true;
}

/** Reads both ends, each with its own request, and compares. */
async function checkBothEnds(source: ByteSource): Promise<void> {
  for (const offset of [file.length - 1000, 0]) {
    const target = new Uint8Array(1000);
    assert.is(await source.read(offset, target), 1000);
    assert.equal(target, file.slice(offset, offset + 1000));
  }
  await source.close();
}

test("busy and overloaded servers are asked again, at the first request and later", async () => {
  for (const status of [408, 425, 429, 500, 502, 503, 504]) {
    const busy = new Set([1, 3, 4]);
    const instead: ServerOptions["instead"] = (count, _, response) =>
      busy.has(count) && refuse(response, status);
    await withFile({ instead }, async ({ server, environment, open }) => {
      await checkBothEnds(await open());
      assert.equal(environment.pausesMs, [1000, 1000, 2000], `${status}`);
      const [first, last] = ["bytes=0-", `bytes=${file.length - 1000}-`];
      assert.equal(server.requests, [first, first, last, last, last, first]);
    });
  }
});

test("other refusals are final", async () => {
  for (const status of [400, 401, 403, 404, 410, 501]) {
    const instead: ServerOptions["instead"] = (_, __, response) => refuse(response, status);
    await withFile({ instead }, async ({ server, environment, open }) => {
      const error = await errorOf(open());
      assert.is(error.code, "UNREADABLE_FILE");
      assert.match(error.message, new RegExp(`/file: the server answered ${status} `));
      assert.is(server.requests.length, 1);
      assert.equal(environment.pausesMs, []);
    });
  }
});

test("after five pauses the last refusal is the error, without the query", async () => {
  const instead: ServerOptions["instead"] = (count, _, response) =>
    count > 1 && refuse(response, 503);
  await withFile({ instead }, async ({ server, environment, open }) => {
    const source = await open();
    const error = await errorOf(source.read(2 << 20, new Uint8Array(10)));
    assert.is(error.code, "UNREADABLE_FILE");
    assert.match(error.message, "the server answered 503");
    assert.not.match(error.message, "s3cret");
    assert.equal(environment.pausesMs, [1000, 2000, 4000, 8000, 16_000]);
    assert.is(server.requests.length, 7);
    await source.close();
  });
});

test("bytes received in between reset the count", async () => {
  let failures = 0;
  const instead: ServerOptions["instead"] = (count, _, response) =>
    count % 4 !== 1 && ++failures > 0 && refuse(response, 503);
  await withFile({ instead, capBytes: 1 << 18 }, async ({ environment, open }) => {
    const source = await open();
    const target = new Uint8Array(file.length);
    assert.is(await source.read(0, target), file.length);
    assert.ok(target.every((byte, i) => byte === file[i]));
    assert.is(failures, 33);
    assert.equal(new Set(environment.pausesMs), new Set([1000, 2000, 4000]));
    await source.close();
  });
});

test("Retry-After in seconds and as a date, and never over a minute", async () => {
  const cases: [headers: Record<string, string>, pauseMs: number][] = [
    [{ "Retry-After": "7" }, 7000],
    [{ "retry-after": " 0 " }, 1000],
    [{ "Retry-After": "86400" }, 60_000],
    [{ "Retry-After": "Sun, 06 Nov 1994 08:49:57 GMT" }, 20_000],
    [{ "Retry-After": "Sunday, 06-Nov-94 08:49:57 GMT" }, 20_000],
    [{ "Retry-After": "Sun Nov  6 08:49:57 1994" }, 20_000],
    [{ "Retry-After": "Sat, 05 Nov 1994 08:49:37 GMT" }, 1000],
    [
      { "Retry-After": "Sun, 06 Nov 1994 09:49:50 GMT", Date: "Sun, 06 Nov 1994 09:49:37 GMT" },
      13_000,
    ],
    [{ "Retry-After": "soon" }, 1000],
    [{ "Retry-After": "-5" }, 1000],
  ];
  for (const [headers, pauseMs] of cases) {
    const instead: ServerOptions["instead"] = (count, _, response) => {
      response.sendDate = false;
      return count === 2 && refuse(response, 429, headers);
    };
    await withFile({ instead }, async ({ environment, open }) => {
      await checkBothEnds(await open());
      assert.equal(environment.pausesMs, [pauseMs], JSON.stringify(headers));
    });
  }
});

test("an abort ends a pause with its reason; the source stays usable", async () => {
  const instead: ServerOptions["instead"] = (count, _, response) =>
    count === 2 && refuse(response, 503, { "Retry-After": "50" });
  await withFile({ instead }, async ({ environment, open }) => {
    const source = await open();
    const controller = new AbortController();
    const reason = new Error("enough");
    environment.onPause = () => controller.abort(reason);
    const reading = source.read(2 << 20, new Uint8Array(9), controller.signal);
    assert.is(await reading.catch((thrown) => thrown), reason);
    await checkBothEnds(source);
  });
});

test("the real wait ends at once when it is aborted, and is over after its time", async () => {
  const controller = new AbortController();
  const reason = new Error("enough");
  const waiting = REAL_ENVIRONMENT.wait(3_600_000, controller.signal);
  controller.abort(reason);
  assert.is(await waiting.catch((thrown) => thrown), reason);
  assert.is(await REAL_ENVIRONMENT.wait(1), undefined);
});

test("a server that disappears briefly in the middle", async () => {
  let isGone = false;
  const instead: ServerOptions["instead"] = (_, request) => isGone && !!request.socket.destroy();
  await withFile({ instead }, async ({ environment, open }) => {
    const source = await open();
    isGone = true;
    environment.onPause = () => {
      isGone = environment.pausesMs.length < 2;
    };
    await checkBothEnds(source);
    assert.equal(environment.pausesMs, [1000, 2000]);
  });
});

test.run();
