/** A handler before its model is loaded, without it, and at its end. */
import { Worker } from "node:worker_threads";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Model } from "../../src/generation/model.js";
import { createHandler } from "../../src/server/index.js";
import { ask, loadSmall, openStream, refusal, request, serve, until } from "./support/server.js";

const PATH = "/v1/completions";

const model = await loadSmall({ maxSequences: 2 });
test.after(() => model.dispose());

test("while the model is loading, requests are told to come back", async () => {
  let load = (_model: Model): void => {};
  const promise = new Promise<Model>((resolve) => {
    load = resolve;
  });
  const handler = createHandler({ model: promise });
  const health = await handler(request("/health"));
  assert.equal([health.status, await health.json()], [503, { status: "loading model" }]);
  for (const [path, body] of [
    ["/v1/models"],
    [PATH, { prompt: "a" }],
    ["/api/tags"],
    ["/metrics"],
  ]) {
    const response = await handler(request(path as string, body));
    assert.equal([response.status, response.headers.get("retry-after")], [503, "2"]);
    assert.match(JSON.stringify(await response.json()), /the model is loading/);
  }
  load(model);
  await promise;
  assert.equal(await ask(handler, "/health"), { status: "ok" });
  await ask(handler, PATH, { prompt: "a", max_tokens: 1 });
});

test("a model that does not load", async () => {
  const handler = createHandler({ model: Promise.reject(new Error("/secret/path")) });
  await new Promise((resolve) => setTimeout(resolve, 0));
  const health = await handler(request("/health"));
  assert.equal([health.status, await health.json()], [503, { status: "error" }]);
  const { message } = await refusal(handler, 500, "/v1/models");
  assert.is(message, "the model could not be loaded");
});

test("a function loads the model with the first request, and again after a failure", async () => {
  const loads: ((result: Model | Error) => void)[] = [];
  const work: Promise<unknown>[] = [];
  const errors: unknown[] = [];
  const handler = createHandler({
    model: () =>
      new Promise<Model>((resolve, reject) => {
        loads.push((result) => (result instanceof Error ? reject(result) : resolve(result)));
      }),
    apiKeys: ["key"],
    waitUntil: (each) => work.push(each),
    log: ({ status, error }) => errors.push([status, error]),
  });
  const headers = { authorization: "Bearer key" };
  const body = { prompt: "a", max_tokens: 1 };
  assert.is((await handler(request(PATH, body))).status, 401);
  assert.is(loads.length, 0);
  const failing = [request(PATH, body, { headers }), request("/health")].map(handler);
  await until(() => loads.length === 1);
  loads[0](new Error("/secret/path"));
  const answers = await Promise.all(failing);
  assert.equal([answers[0].status, answers[0].headers.get("retry-after")], [503, "2"]);
  const { error } = await answers[0].json();
  assert.is(error.message, "the model could not be loaded");
  assert.equal([answers[1].status, await answers[1].json()], [503, { status: "error" }]);
  assert.equal(errors, [
    [401, undefined],
    [503, "/secret/path"],
    [503, undefined],
  ]);
  // One that hangs up ends neither the load nor what others wait for.
  const left = new AbortController();
  const leaving = handler(request(PATH, body, { headers, signal: left.signal }));
  const waiting = handler(request(PATH, body, { headers }));
  await until(() => loads.length === 2);
  left.abort();
  assert.is((await leaving).status, 503);
  const isDone = Promise.all(work).then(() => true);
  assert.is(await Promise.race([isDone, Promise.resolve(false)]), false);
  loads[1](model);
  assert.is((await waiting).status, 200);
  assert.equal(await ask(handler, "/health"), { status: "ok" });
  assert.is(loads.length, 2);
  assert.ok(await isDone);
  // Two loads, and each request.
  assert.is(work.length, 8);
});

test("an engine that is gone shows in the health", async () => {
  let worker: Worker | undefined;
  const lost = await loadSmall({
    worker: () => {
      worker = new Worker(new URL("../../src/worker/node.js", import.meta.url));
      return worker;
    },
  });
  const handler = await serve(lost);
  await ask(handler, PATH, { prompt: "a", max_tokens: 1 });
  const running = refusal(handler, 500, PATH, { prompt: "a", ignore_eos: true });
  await until(() => lost.pagesInUse > 0);
  await worker!.terminate();
  const { message, type } = await running;
  assert.equal(
    [message, type],
    ["the engine ended: the model must be loaded again", "server_error"],
  );
  const health = await handler(request("/health"));
  assert.equal([health.status, await health.json()], [503, { status: "error" }]);
  await refusal(handler, 500, PATH, { prompt: "a" });
  lost.dispose();
});

test("on shutdown what runs is answered, and the rest refused", async () => {
  const handler = await serve(model);
  const streams = await Promise.all([openStream(handler), openStream(handler)]);
  const waiting = handler(request(PATH, { prompt: "a", max_tokens: 2 }));
  await new Promise((resolve) => setTimeout(resolve, 20));
  let isClosed = false;
  const closed = handler.close().then(() => {
    isClosed = true;
  });
  assert.is((await waiting).status, 503);
  const { type } = await refusal(handler, 503, PATH, { prompt: "a" });
  assert.is(type, "unavailable_error");
  const health = await handler(request("/health"));
  assert.equal([health.status, await health.json()], [503, { status: "shutting down" }]);
  for (const reader of streams) {
    assert.is(isClosed, false);
    let text = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      text += new TextDecoder().decode(value);
    }
    assert.ok(text.endsWith("data: [DONE]\n\n"));
  }
  await closed;
});

test.run();
