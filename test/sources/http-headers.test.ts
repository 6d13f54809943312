/** A caller's headers and fetch: which servers get them, and that no message shows a token. */
import { Readable } from "node:stream";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { PlmError } from "../../src/errors.js";
import { inspectModel, loadModel } from "../../src/generation/load-model.js";
import { type FetchLike, HttpClient, type HttpOptions } from "../../src/sources/http-client.js";
import { type HeaderFields, readHeaders } from "../../src/sources/http-headers.js";
import { Remotes } from "../../src/sources/remotes.js";
import { openSources, openWith } from "../../src/sources/source.js";
import { sampleFile } from "../format/support/sample.js";
import { tinyModel } from "../model/support/tiny.js";
import { TestEnvironment } from "./support/environment.js";
import { errorOf } from "./support/error-of.js";
import { type FileServer, type ServerOptions, serveFiles } from "./support/server.js";

const TOKEN = "hf_s3cret";
const AUTHORIZATION = `Bearer ${TOKEN}`;

/** What a server received, one line per request. */
interface Hub extends FileServer {
  readonly seen: string[];
}

async function serveHub(
  files: Record<string, Uint8Array>,
  instead: ServerOptions["instead"] = () => false,
): Promise<Hub> {
  const seen: string[] = [];
  const server = await serveFiles(files, {
    instead: (count, request, response) => {
      const { authorization = "none", "x-key": key = "none" } = request.headers;
      seen.push(`${request.url} ${authorization} ${key}`);
      return instead(count, request, response);
    },
  });
  return { ...server, seen };
}

/** The error; fails if it shows the token anywhere. */
async function tokenFreeErrorOf(promise: Promise<unknown>): Promise<PlmError> {
  const error = await errorOf(promise);
  for (const text of [error.stack, String(error.cause), JSON.stringify(error)]) {
    assert.not.match(String(text), TOKEN);
  }
  return error;
}

async function readAll(url: URL, options: HttpOptions): Promise<void> {
  const sources = await openWith(
    new Remotes(options, new HttpClient(options, new TestEnvironment())),
    url,
  );
  const target = new Uint8Array(sampleFile().length);
  assert.is(await sources[0].read(0, target), target.length);
  assert.equal(target, sampleFile());
  assert.is(await sources[0].read(0, target.subarray(0, 9)), 9);
  await sources[0].close();
}

test("every request has the headers, given in any form", async () => {
  const hub = await serveHub({ "/m.gguf": sampleFile() });
  const forms: HeaderFields[] = [
    { Authorization: AUTHORIZATION },
    { authorization: `${AUTHORIZATION}\r\n` },
    [["Authorization", AUTHORIZATION]],
    new Map([["Authorization", AUTHORIZATION]]),
    new Headers({ Authorization: AUTHORIZATION }),
  ];
  for (const headers of forms) await readAll(new URL("m.gguf", hub.url), { headers });
  assert.is(hub.seen.length, 2 * forms.length);
  assert.equal(new Set(hub.seen), new Set([`/m.gguf ${AUTHORIZATION} none`]));
  await hub.close();
});

test("the same origin gets the headers, another one does not", async () => {
  const headers = { Authorization: AUTHORIZATION, "X-Key": TOKEN };
  for (const status of [301, 302, 303, 307, 308]) {
    const storage = await serveHub({ "/blob": sampleFile() });
    const hub = await serveHub({}, (_, { url }, response) => {
      const location = url === "/m.gguf" ? "/moved" : new URL("blob?signed", storage.url).href;
      response.writeHead(status, { Location: location }).end("moved");
      return true;
    });
    await readAll(new URL("m.gguf", hub.url), { headers });
    const all = `${AUTHORIZATION} ${TOKEN}`;
    const own = [`/m.gguf ${all}`, `/moved ${all}`];
    assert.equal(hub.seen, [...own, ...own]);
    assert.equal(storage.seen, ["/blob?signed none none", "/blob?signed none none"]);
    await Promise.all([hub.close(), storage.close()]);
  }
});

test("redirects that lead nowhere", async () => {
  const targets = ["/m.gguf", "file:///etc/passwd", "http://[", `http://u:${TOKEN}@127.0.0.1/`];
  for (const Location of targets) {
    const hub = await serveHub({}, (_, __, response) => {
      response.writeHead(302, { Location }).end();
      return true;
    });
    const headers = { Authorization: AUTHORIZATION };
    const error = await tokenFreeErrorOf(readAll(new URL("m.gguf", hub.url), { headers }));
    assert.is(error.code, "UNREADABLE_FILE");
    const hasCredentials = Location.includes(TOKEN);
    const got = hasCredentials ? "got one with credentials" : "got another";
    assert.match(error.message, Location === "/m.gguf" ? "over 20 redirects" : got);
    await hub.close();
  }
});

test("a hub that wants a token says so", async () => {
  const hub = await serveHub({ "/m.gguf": sampleFile() }, (_, { headers }, response) => {
    if (headers.authorization === AUTHORIZATION) return false;
    response.writeHead(401).end();
    return true;
  });
  const url = new URL("m.gguf", hub.url);
  assert.match(
    (await tokenFreeErrorOf(readAll(url, {}))).message,
    "answered 401 Unauthorized; does it",
  );
  const wrong = { headers: { Authorization: `${AUTHORIZATION}x` } };
  assert.is((await tokenFreeErrorOf(readAll(url, wrong))).code, "UNREADABLE_FILE");
  await readAll(url, { headers: { Authorization: AUTHORIZATION } });
  await hub.close();
});

test("headers that cannot be sent are refused by name, before anything is opened", async () => {
  const wrong: [headers: unknown, message: RegExp][] = [
    [TOKEN, /^headers: expected names and values, got a string$/],
    [null, /^headers: expected names and values, got null$/],
    [[TOKEN], /names that HTTP allows/],
    [{ [`${TOKEN}:`]: "x" }, /names that HTTP allows/],
    [{ Authorization: `${TOKEN}\nX: y` }, /^headers: Authorization: .* a value that HTTP allows/],
    [{ Authorization: `${TOKEN}\u2028` }, /^headers: Authorization: .* a value that HTTP allows/],
    [{ Authorization: undefined }, /^headers: Authorization: expected a string, got nothing$/],
    [{ Authorization: [TOKEN] }, /^headers: Authorization: expected a string, got an array/],
    [{ RANGE: "bytes=0-1" }, /expected none of range, .* got RANGE/],
  ];
  for (const [headers, message] of wrong) {
    const options = { headers: headers as HeaderFields };
    for (const source of [new URL("http://127.0.0.1:1/"), sampleFile()]) {
      const error = await tokenFreeErrorOf(openSources(source, undefined, options));
      assert.is(error.code, "INVALID_ARGUMENT");
      assert.match(error.message, message);
    }
  }
});

test("a fetch of one's own", async () => {
  const hub = await serveHub({ "/m.gguf": sampleFile() });
  const url = new URL("m.gguf", hub.url);
  const asked: string[] = [];
  const own: FetchLike = (place, init) => {
    asked.push(`${place} ${init.headers.authorization ?? ""}`);
    return fetch(place, { ...init, headers: { ...init.headers, authorization: "signed" } });
  };
  await readAll(url, { fetch: own });
  assert.equal(asked, [`${url} `, `${url} `]);
  assert.equal(hub.seen, Array(2).fill("/m.gguf signed none"));

  // Bodies of node-fetch are Node streams.
  const ofNode: FetchLike = async (place, init) => {
    const { ok, status, statusText, headers, body } = await fetch(place, init);
    const stream = Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]);
    return { ok, status, statusText, url: place, bodyUsed: false, headers, body: stream };
  };
  await readAll(url, { fetch: ofNode });

  for (const wrong of ["fetch", {}]) {
    const options = { fetch: wrong as unknown as FetchLike };
    assert.is(
      (await tokenFreeErrorOf(openSources(url, undefined, options))).code,
      "INVALID_ARGUMENT",
    );
  }
  const nothing: FetchLike = async () => ({}) as never;
  const error = await tokenFreeErrorOf(openSources(url, undefined, { fetch: nothing }));
  assert.match(error.message, /^fetch: expected it to resolve to a Response/);
  await hub.close();
});

test("loadModel and inspectModel pass them on", async () => {
  const hub = await serveHub({ "/m.gguf": tinyModel() });
  const url = new URL("m.gguf", hub.url);
  const headers = { Authorization: AUTHORIZATION };
  await inspectModel(url, { headers });
  const model = await loadModel(url, { headers, threads: 1 });
  model.dispose();
  assert.equal(new Set(hub.seen), new Set([`/m.gguf ${AUTHORIZATION} none`]));
  await hub.close();
});

test("fields of one name become one", () => {
  const pairs = [
    ["A", "b"],
    ["a", "c"],
  ];
  assert.equal(readHeaders(pairs), { a: "b, c" });
});

test.run();
