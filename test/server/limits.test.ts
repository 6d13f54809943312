/** What a handler refuses: bounds, keys, origins; and clients that hang up. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { createHandler, type HandlerClock, type RequestLog } from "../../src/server/index.js";
import {
  ask,
  ENDLESS,
  type Json,
  loadSmall,
  openStream,
  refusal,
  request,
  serve,
  until,
} from "./support/server.js";

const PATH = "/v1/completions";

const model = await loadSmall({ maxSequences: 2 });
test.after(() => model.dispose());

test("past those that run and wait, requests are refused, and later not", async () => {
  const handler = await serve(model, { maxWaiting: 1 });
  const readers = await Promise.all([openStream(handler), openStream(handler)]);
  const waiting = ask(handler, PATH, { prompt: "a", max_tokens: 2 });
  await new Promise((resolve) => setTimeout(resolve, 50));
  const response = await handler(request(PATH, { prompt: "b" }));
  assert.equal([response.status, response.headers.get("retry-after")], [429, "1"]);
  const { error } = (await response.json()) as Json;
  assert.equal([error.type, error.code], ["rate_limit_error", "too_many_requests"]);
  assert.match(error.message, /^busy: expected room for 1 more, got 2 that run and 1 that wait$/);
  assert.equal(await ask(handler, "/health"), { status: "ok" });
  const metrics = await (await handler(request("/metrics"))).text();
  assert.match(metrics, /requests_processing 2\n/);
  assert.match(metrics, /requests_deferred 1\n/);
  await readers[0].cancel();
  assert.is((await waiting).usage.completion_tokens, 2);
  await readers[1].cancel();
  assert.is((await ask(handler, PATH, { prompt: "b", max_tokens: 2, n: 3 })).choices.length, 3);
  const { message } = await refusal(handler, 400, PATH, { prompt: "b", n: 4 });
  assert.match(message, /^n: expected at most 3 answers to one request, got 4$/);
});

test("a client that hangs up ends its generation, and its pages come back", async () => {
  const logs: RequestLog[] = [];
  const handler = await serve(model, { log: (entry) => logs.push(entry) });
  const reader = await openStream(handler);
  assert.ok(model.pagesInUse > 0);
  await reader.cancel();
  await until(() => model.pagesInUse === 0);
  await until(() => logs.length === 1);
  const [{ aborted, stream, status, completionTokens }] = logs;
  assert.equal([aborted, stream, status], [true, true, 200]);
  assert.ok(completionTokens > 0 && completionTokens < 100);

  for (const stream of [true, false]) {
    const controller = new AbortController();
    const options = { signal: controller.signal };
    const answered = handler(request(PATH, { ...ENDLESS, n: 2, stream }, options));
    if (stream) await answered;
    else await until(() => model.pagesInUse > 0);
    controller.abort();
    await until(() => model.pagesInUse === 0);
    await (await answered).body?.cancel().catch(() => {});
  }
  await until(() => logs.length === 3);
  assert.ok(logs.every((entry) => entry.aborted));
});

test("one that waits can hang up too", async () => {
  const handler = await serve(model);
  const readers = await Promise.all([openStream(handler), openStream(handler)]);
  const controller = new AbortController();
  const { signal } = controller;
  const waiting = handler(request(PATH, { prompt: "a", max_tokens: 2 }, { signal }));
  await new Promise((resolve) => setTimeout(resolve, 20));
  controller.abort();
  assert.is((await waiting).status, 503);
  const metrics = await (await handler(request("/metrics"))).text();
  assert.match(metrics, /requests_deferred 0\n/);
  for (const reader of readers) await reader.cancel();
  await until(() => model.pagesInUse === 0);
});

test("a stream that is left unread ends", async () => {
  const timers: (() => void)[] = [];
  const clock: HandlerClock = {
    now: () => performance.now(),
    date: () => 0,
    after: (_, callback) => {
      timers.push(callback);
      return () => timers.splice(timers.indexOf(callback), 1);
    },
  };
  const handler = await serve(model, { clock });
  const reader = await openStream(handler);
  await until(() => timers.length === 1);
  assert.ok(model.pagesInUse > 0);
  timers[0]();
  await until(() => model.pagesInUse === 0);
  await assertRejects(async () => {
    while (!(await reader.read()).done);
  });
});

async function assertRejects(run: () => Promise<void>): Promise<void> {
  let error: unknown;
  await run().catch((thrown) => {
    error = thrown;
  });
  assert.ok(error !== undefined, "expected a rejection");
}

test("bodies have a limit, said or not", async () => {
  const handler = await serve(model, { maxBodyBytes: 100 });
  const body = { prompt: "a".repeat(200) };
  const error = await refusal(handler, 413, PATH, body);
  assert.match(error.message, /^body: expected at most 100 bytes, got more$/);
  const headers = { "content-length": "215" };
  const response = await handler(request(PATH, body, { headers }));
  assert.is(response.status, 413);
  await ask(handler, PATH, { prompt: "a", max_tokens: 1 });
});

test("a text that is far too long is refused before it is tokenized as a whole", async () => {
  const handler = await serve(model, { maxBodyBytes: 1 << 21 });
  const text = `${" ".repeat(5000)}${"ab".repeat(5e5)}`;
  const message = [{ role: "user", content: text }];
  const bodies: readonly [path: string, body: object, param: string][] = [
    ["/v1/completions", { prompt: text }, "prompt"],
    ["/v1/chat/completions", { messages: message }, "messages"],
    ["/v1/responses", { input: [{ role: "user", content: text }] }, "input"],
    ["/v1/embeddings", { input: ["a", text] }, "input"],
    ["/apply-template", { messages: message }, "messages"],
  ];
  for (const [path, body, param] of bodies) {
    const error = await refusal(handler, 400, path, body);
    assert.equal([error.code, error.param], ["context_length_exceeded", param]);
    assert.match(
      error.message,
      /: expected at most 256 tokens \(the context\), got a longer text$/,
    );
  }
  // Long, but not in tokens.
  const spaces = { prompt: `${"\n".repeat(20)}${" ".repeat(50)}`, max_tokens: 1 };
  await ask(handler, PATH, spaces);
  const stop = Array.from({ length: 65 }, (_, i) => `s${i}`);
  const { message: said } = await refusal(handler, 400, PATH, { prompt: "a", stop });
  assert.is(said, "stop: expected at most 64 texts, got 65");
});

test("keys", async () => {
  const logs: RequestLog[] = [];
  const apiKeys = ["sk-first", "sk-second"];
  const handler = await serve(model, { apiKeys, log: (entry) => logs.push(entry) });
  const statusWith = async (authorization?: string): Promise<number> => {
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
    const response = await handler(request("/v1/models", undefined, { headers }));
    if (response.status === 401) {
      const { error } = (await response.json()) as Json;
      assert.is(error.code, "invalid_api_key");
      assert.not.match(error.message, /sk-/);
      assert.is(response.headers.get("www-authenticate"), "Bearer");
    }
    return response.status;
  };
  for (const key of apiKeys) assert.is(await statusWith(`Bearer ${key}`), 200);
  assert.is(await statusWith("bearer  sk-first"), 200);
  for (const wrong of [
    undefined,
    "",
    "Bearer",
    "sk-first",
    "Bearer sk-firs",
    "Bearer sk-first,x",
  ]) {
    assert.is(await statusWith(wrong), 401, wrong);
  }
  assert.is(await statusWith("Basic c2stZmlyc3Q6"), 401);
  assert.equal(await ask(handler, "/health"), { status: "ok" });
  for (const path of ["/metrics", "/props", "/api/tags"]) {
    assert.is((await handler(request(path))).status, 401);
  }
  assert.is((await handler(request(PATH, "not JSON"))).status, 401);
  assert.not.match(JSON.stringify(logs), /sk-/);
});

test("origins: none, some or all", async () => {
  const headers = { origin: "https://page.example" };
  const allowed = async (cors: "*" | string[] | undefined): Promise<string | null> => {
    const handler = await serve(model, cors === undefined ? {} : { cors });
    const response = await handler(request("/v1/models", undefined, { headers }));
    assert.is(response.status, 200);
    return response.headers.get("access-control-allow-origin");
  };
  assert.is(await allowed(undefined), null);
  assert.is(await allowed(["https://other.example"]), null);
  assert.is(await allowed(["https://page.example"]), "https://page.example");
  assert.is(await allowed("*"), "*");
  const handler = await serve(model, { cors: ["https://page.example"], apiKeys: ["k"] });
  const preflight = request(PATH, undefined, {
    method: "OPTIONS",
    headers: {
      ...headers,
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization,content-type",
    },
  });
  const response = await handler(preflight);
  assert.is(response.status, 204);
  assert.match(response.headers.get("access-control-allow-headers")!, /authorization/);
  const refused = await handler(request("/v1/models", undefined, { headers }));
  assert.is(refused.status, 401);
  assert.is(refused.headers.get("access-control-allow-origin"), "https://page.example");
});

test("wrong options", () => {
  const wrong: readonly [options: object, message: RegExp][] = [
    [
      { model: undefined },
      /^model: expected a model, its promise or a function that loads it, got nothing/,
    ],
    [{ modelName: "" }, /^modelName: expected a non-empty string/],
    [{ apiKeys: ["a b"] }, /^apiKeys: expected/],
    [{ apiKeys: "key" }, /^apiKeys: expected .* got a string$/],
    [{ cors: "https://x" }, /^cors: expected/],
    [{ maxWaiting: -1 }, /^maxWaiting: expected an integer >= 0, got -1/],
    [{ maxBodyBytes: 0 }, /^maxBodyBytes: expected/],
    [{ log: 3 }, /^log: expected a function/],
    [{ waitUntil: 3 }, /^waitUntil: expected a function/],
  ];
  for (const [options, message] of wrong) {
    assert.throws(() => createHandler({ model, ...options }), message);
  }
});

test.run();
