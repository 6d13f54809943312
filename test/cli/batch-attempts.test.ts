/** Lines that are tried again: the model is not ready, or over; the worker fails. */
import { UnrecoverableError, Worker } from "bullmq";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { answerLine } from "../../src/cli/batch/answer-line.js";
import { WORKER_OPTIONS } from "../../src/cli/batch/line-jobs.js";
import type { BatchLine } from "../../src/cli/batch/lines.js";
import type { Outcome } from "../../src/cli/batch/outcome.js";
import { QueueBatch } from "../../src/cli/batch/queue-batch.js";
import { workOnQueue } from "../../src/cli/batch/queue-worker.js";
import { loadRedisPackages, parseRedisUrl, RedisLink } from "../../src/cli/batch/redis-link.js";
import type { PlmError } from "../../src/errors.js";
import { loadModel, type Model } from "../../src/index.js";
import { createHandler } from "../../src/server/index.js";
import { startRedis } from "../support/redis-server.js";

const redis = await startRedis();
const onRedis = redis === undefined ? test.skip : test;
const packages = await loadRedisPackages();
const model = await loadModel("models/plm-test.gguf");
const never = new AbortController().signal;
test.after(async () => {
  model.dispose();
  await redis?.stop();
});

const request = {
  url: "/v1/completions",
  body: JSON.stringify({ prompt: "Once", max_tokens: 2, temperature: 0 }),
};

/** A model that is there after a while. */
function soon(ms: number): Promise<Model> {
  return new Promise((resolve) => setTimeout(resolve, ms, model));
}

/** A model that could not be loaded. */
function broken(): Promise<Model> {
  return Promise.reject(new Error("no such model"));
}

function createLink(): RedisLink {
  return new RedisLink(parseRedisUrl(redis!.url), packages, { timeoutMs: 10_000, tell: () => {} });
}

/** Works with a model on a queue until it is told to end; resolves to what ended it. */
function work(queue: string, model: Promise<Model>): () => Promise<unknown> {
  const link = createLink();
  const controller = new AbortController();
  const handler = createHandler({ model });
  const parts = { packages, link, queue, handler, concurrency: 2, tell: () => {} };
  const ended = workOnQueue(parts, controller.signal).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return async () => {
    controller.abort("told to end");
    const reason = await ended;
    link.close();
    return reason;
  };
}

/** What becomes of a batch of one line. */
async function answerOne(name: string): Promise<Outcome> {
  const link = createLink();
  async function* lines(): AsyncGenerator<BatchLine, void> {
    yield { number: 1, customId: "only", request };
  }
  const outcomes: Outcome[] = [];
  const sink = async (_: BatchLine, outcome: Outcome): Promise<void> => {
    outcomes.push(outcome);
  };
  const parts = { packages, link, name, sink, tell: () => {}, timeoutMs: 10_000 };
  const batch = new QueueBatch(parts, lines());
  await batch.run();
  batch.close();
  link.close();
  assert.is(outcomes.length, 1);
  return outcomes[0];
}

const statusOf = (outcome: Outcome): unknown => ("status" in outcome ? outcome.status : outcome);

test("in one process a line waits for what is temporary", async () => {
  const startMs = performance.now();
  const handler = createHandler({ model: soon(200) });
  assert.is((await answerLine(handler, request, never)).status, 200);
  assert.ok(performance.now() - startMs >= 990);
  const controller = new AbortController();
  const loading = createHandler({ model: new Promise<Model>(() => {}) });
  const waiting = answerLine(loading, request, controller.signal);
  setTimeout(() => controller.abort("enough"), 100);
  assert.is(await waiting.catch((reason: unknown) => reason), "enough");
});

test("in one process a model that is over ends the batch, and is no answer", async () => {
  const handler = createHandler({ model: broken() });
  await Promise.resolve();
  const error = await answerLine(handler, request, never).catch((error: PlmError) => error);
  assert.is((error as PlmError).code, "WORKER_LOST");
});

onRedis("a worker whose model is not ready puts the line back for later", async () => {
  const stop = work("soon", soon(200));
  assert.is(statusOf(await answerOne("soon")), 200);
  assert.is(await stop(), "told to end");
});

onRedis("a worker whose model is over ends, and another answers the line", async () => {
  const stopBroken = work("over", broken());
  const answered = answerOne("over");
  await new Promise((resolve) => setTimeout(resolve, 500));
  const stop = work("over", soon(0));
  assert.is(statusOf(await answered), 200);
  assert.is(((await stopBroken()) as PlmError).code, "WORKER_LOST");
  assert.is(await stop(), "told to end");
});

onRedis("a line that no worker could answer says so", async () => {
  const client = createLink();
  const fail = async (): Promise<never> => {
    throw new UnrecoverableError("out of order");
  };
  const options = { ...WORKER_OPTIONS, autorun: true, connection: client.client };
  const worker = new Worker("failing", fail, options);
  assert.equal(await answerOne("failing"), {
    code: "worker_failed",
    message: "no worker could answer: out of order",
  });
  await worker.close(true);
  client.close();
});

test.run();
