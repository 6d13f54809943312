/** Whatever a server does, a download ends in a whole model or a typed error. */
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { ErrorCode } from "../../src/errors.js";
import { HttpClient } from "../../src/sources/http-client.js";
import { RemoteFile } from "../../src/sources/http-source.js";
import { pullFile } from "../../src/sources/pull.js";
import { openStore } from "../../src/sources/remotes.js";
import { storeKey } from "../../src/store/store-key.js";
import { errorOf } from "../sources/support/error-of.js";
import { type Exchange, type Fault, serveHub } from "./support/hub.js";
import { filesIn, onlyModel, removeOwnStores, useOwnStore } from "./support/own-store.js";
import { FILE, pullWith, randomBytes, SHA256 } from "./support/pull.js";

test.after(removeOwnStores);

function answerWith(status: number, headers: Record<string, string> = {}): Fault {
  return ({ response }) => {
    response.writeHead(status, headers).end("no");
    return true;
  };
}

/** Sends a part of the range and breaks off. */
function breakAfter(bytes: number): Fault {
  return ({ response, first, last }) => {
    response.writeHead(206, {
      "Content-Range": `bytes ${first}-${last}/${FILE.length}`,
      "Content-Length": last - first + 1,
      ETag: '"same"',
    });
    const end = Math.min(last + 1, first + bytes);
    response.write(FILE.subarray(first, end), () => response.destroy());
    return true;
  };
}

const onlyFirst =
  (count: number, fault: Fault): Fault =>
  (exchange) =>
    exchange.count <= count && fault(exchange);

const after =
  (count: number, fault: Fault): Fault =>
  (exchange) =>
    exchange.count > count && fault(exchange);

/** A 206 that says another range than it has. */
function lie(
  say: (exchange: Exchange) => string,
  bytes: (exchange: Exchange) => Uint8Array,
): Fault {
  return (exchange) => {
    const { response } = exchange;
    response.writeHead(206, { "Content-Range": say(exchange), ETag: '"same"' });
    response.end(bytes(exchange));
    return true;
  };
}

const OTHER = randomBytes(FILE.length, 2);

/** Faults after which the whole model is there. */
const SURVIVED: Record<string, Fault> = {
  "no fault": () => false,
  "breaks every answer after 1 MB": breakAfter(1_000_000),
  "breaks the first answers before a byte": onlyFirst(2, breakAfter(0)),
  "is busy at first": onlyFirst(3, answerWith(503)),
  "fails at first": onlyFirst(4, answerWith(500)),
  "asks to come back later": onlyFirst(2, answerWith(429, { "Retry-After": "7" })),
  "times out on the way": onlyFirst(2, answerWith(504)),
  "is slow": async () => {
    await sleep(30);
    return false;
  },
  "stops in the middle of an answer": after(
    1,
    onlyFirst(3, ({ response, first, last }) => {
      response.writeHead(206, { "Content-Range": `bytes ${first}-${last}/${FILE.length}` });
      response.write(FILE.subarray(first, first + 1000));
      return true;
    }),
  ),
  "does not answer at first": after(
    1,
    onlyFirst(2, () => true),
  ),
  "has no ranges": ({ response }) => {
    response.writeHead(200, { "Content-Length": FILE.length, ETag: '"same"' }).end(FILE);
    return true;
  },
  "sends more than was asked for": lie(
    ({ first }) => `bytes ${first}-${FILE.length - 1}/${FILE.length}`,
    ({ first }) => FILE.subarray(first),
  ),
  "sends less than was asked for": after(
    1,
    lie(
      ({ first, last }) => `bytes ${first}-${Math.min(first + 99_999, last)}/${FILE.length}`,
      ({ first, last }) => FILE.subarray(first, Math.min(first + 100_000, last + 1)),
    ),
  ),
  redirects: ({ request, response }) => {
    if (request.url?.endsWith("?to")) return false;
    response.writeHead(302, { Location: "/m?to" }).end();
    return true;
  },
};

for (const [name, fault] of Object.entries(SURVIVED)) {
  test(`a server that ${name}: the model is whole`, async () => {
    for (const sha256 of [undefined, SHA256]) {
      const { error, store } = await pullWith(fault, { ...(sha256 && { sha256 }) });
      assert.is(error, undefined);
      assert.ok(Buffer.from(onlyModel(store)).equals(FILE), "the stored bytes");
      assert.equal(filesIn(store).sort(), ["manifest.json", "model"]);
    }
  });
}

/** Faults that end in an error. */
const REFUSED: Record<
  string,
  { fault: Fault; message: RegExp; file?: Uint8Array; sha256?: string }
> = {
  "asks for a token": { fault: answerWith(401), message: /answered 401 Unauthorized; does it ask/ },
  "forbids it": { fault: answerWith(403), message: /answered 403 Forbidden/ },
  "has no such file": { fault: answerWith(404), message: /answered 404 Not Found/ },
  "has it no more": { fault: answerWith(410), message: /answered 410 Gone/ },
  "is always busy": { fault: answerWith(503), message: /answered 503 Service Unavailable/ },
  "breaks off for ever": { fault: after(1, breakAfter(0)), message: /m: / },
  "answers with a web page": {
    fault: answerWith(200, { "Content-Type": "text/html; charset=utf-8" }),
    message: /expected a file, got a web page/,
  },
  "redirects in a circle": {
    fault: ({ response }) => {
      response.writeHead(302, { Location: "/m" }).end();
      return true;
    },
    message: /redirect/,
  },
  "redirects to another kind of place": {
    fault: answerWith(302, { Location: "file:///etc/passwd" }),
    message: /./,
  },
  "gives no length": {
    fault: ({ response }) => {
      response.writeHead(200).write(FILE);
      response.end();
      return true;
    },
    message: /expected the server to say the file's length/,
  },
  "says another range": {
    fault: after(
      1,
      lie(
        ({ first, last }) => `bytes ${first + 9}-${last}/${FILE.length}`,
        ({ first, last }) => FILE.subarray(first + 9, last + 1),
      ),
    ),
    message: /expected the bytes from/,
  },
  "answers with several ranges": {
    fault: answerWith(206, { "Content-Type": "multipart/byteranges; boundary=x" }),
    message: /multipart/,
  },
  "changes the file": {
    fault: ({ count, response }) => {
      response.setHeader("ETag", count === 1 ? '"same"' : '"other"');
      return false;
    },
    message: /the file changed while it was read/,
  },
  "changes the file without a tag": {
    fault: after(1, ({ response, first, last }) => {
      response.writeHead(206, { "Content-Range": `bytes ${first}-${last - 5}/${FILE.length - 5}` });
      response.end(FILE.subarray(first, last - 4));
      return true;
    }),
    message: /the file changed while it was read/,
  },
  "ends the file too soon": {
    fault: ({ response }) => {
      response.writeHead(200, { "Content-Length": FILE.length });
      response.write(FILE.subarray(0, 5_000_000), () => response.destroy());
      return true;
    },
    message: /m: /,
  },
  "codes the file": {
    fault: ({ response }) => {
      const body = gzipSync(FILE.subarray(0, 1000));
      response.writeHead(200, { "Content-Encoding": "gzip", "Content-Length": body.length });
      response.end(body);
      return true;
    },
    message: /expected the server to say the file's length/,
  },
  "has an empty file": { fault: answerWith(416), message: /the file is empty/ },
};

for (const [name, { fault, message }] of Object.entries(REFUSED)) {
  test(`a server that ${name}: an error, and nothing that is taken for a model`, async () => {
    const { error, store } = await pullWith(fault);
    assert.is(error?.code, "UNREADABLE_FILE" satisfies ErrorCode, String(error));
    assert.match(error!.message, message);
    assert.not(filesIn(store).includes("model"), "no whole file");
  });
}

test("a server that sends other bytes under the same tag: the hash tells", async () => {
  const other: Fault = ({ response, first, last }) => {
    const headers = { "Content-Range": `bytes ${first}-${last}/${FILE.length}`, ETag: '"same"' };
    response.writeHead(206, headers).end(OTHER.subarray(first, last + 1));
    return true;
  };
  for (const fault of [other, after(1, other)]) {
    const { error, store } = await pullWith(fault, { sha256: SHA256 });
    assert.is(error?.code, "INVALID_FILE");
    assert.match(error!.message, /expected the SHA-256 [\da-f]{64}, got [\da-f]{64}/);
    assert.equal(filesIn(store), []);
  }
});

test("a server that redirects to another host: the token stays behind", async () => {
  const there = await serveHub({ m: FILE });
  const location = new URL("m", there.url).href.replace("127.0.0.1", "localhost");
  const { error, hub, store } = await pullWith(answerWith(307, { Location: location }), {
    token: "Bearer secret",
  });
  await there.close();
  assert.is(error, undefined);
  assert.ok(hub.tokens.every((token) => token === "Bearer secret"));
  assert.ok(there.tokens.length > 0 && there.tokens.every((token) => token === undefined));
  assert.ok(Buffer.from(onlyModel(store)).equals(FILE));
});

test("a store whose disk has too little room: an error before anything is written", async () => {
  const hub = await serveHub({ m: FILE });
  const path = useOwnStore();
  const file = new RemoteFile(new URL("m", hub.url), new HttpClient(), {});
  const store = { ...(await openStore()), freeBytes: async () => FILE.length - 1 };
  const place = { store, entry: store.entry(await storeKey(file.url)) };
  const watch = { onProgress: () => undefined };
  const pulling = { place, connections: 1, watch, signal: undefined };
  const error = await errorOf(pullFile(file, pulling), "UNWRITABLE_FILE");
  assert.match(error.message, `expected ${FILE.length} free bytes, got ${FILE.length - 1}`);
  assert.equal(filesIn(path), []);
  await hub.close();
});

test.run();
