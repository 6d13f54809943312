/**
 * Batches that workers answer through a real Redis, and workers that are killed. LINES is the
 * number of lines of the largest batch.
 */
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { startRedis } from "../support/redis-server.js";
import {
  assertSameTexts,
  countLines,
  lineOf,
  readAnswers,
  startBatch,
  startWorker,
  stopWorker,
  storyLines,
  until,
  writeBatch,
} from "./support/batch.js";
import { folder, plm } from "./support/plm.js";

const LINES = Number(process.env.LINES ?? 40);
const redis = await startRedis();
const onRedis = redis === undefined ? test.skip : test;
const url = redis?.url ?? "";
test.after(() => redis?.stop());

const stories = writeBatch("stories.jsonl", storyLines(LINES));
const whole = join(folder, "whole.jsonl");
if (redis !== undefined) assert.is((await plm("batch", stories, whole)).code, 0);

/** What the queue left in Redis besides its own four keys. */
function leftJobs(): string[] {
  return redis!
    .command("KEYS", "bull:*:line-*")
    .split("\n")
    .filter((key) => key !== "");
}

onRedis("one of two workers is killed in the middle: no line lost, none twice", async () => {
  const out = join(folder, "killed.jsonl");
  const [first, second] = await Promise.all([startWorker(url), startWorker(url)]);
  const { finished } = startBatch(stories, out, "--redis", url);
  await until(() => countLines(out) >= LINES / 4);
  first.child.kill("SIGKILL");
  const { code, stderr } = await finished;
  assert.is(code, 0, stderr);
  assert.match(stderr, new RegExp(`killed\\.jsonl: all ${LINES} lines are answered`));
  assertSameTexts(out, whole);
  assert.equal(leftJobs(), []);
  await stopWorker(second);
});

onRedis("workers that are killed while idle and at a result, batches that are, too", async () => {
  const out = join(folder, "all-killed.jsonl");
  const idle = await startWorker(url);
  idle.child.kill("SIGKILL");
  await idle.finished;
  const args = [stories, out, "--redis", url];
  const killedBatch = startBatch(...args);
  const killedWorker = await startWorker(url, "--parallel", "2");
  await until(() => countLines(out) >= 1);
  killedBatch.child.kill("SIGKILL");
  killedWorker.child.kill("SIGKILL");
  await Promise.all([killedBatch.finished, killedWorker.finished]);
  const worker = await startWorker(url);
  // Another output of the same lines at the same time: both are whole.
  const other = join(folder, "other.jsonl");
  const runs = await Promise.all([
    plm("batch", ...args),
    plm("batch", stories, other, ...args.slice(2)),
  ]);
  for (const { code, stderr } of runs) assert.is(code, 0, stderr);
  assertSameTexts(out, whole);
  assertSameTexts(other, whole);
  assert.equal(leftJobs(), []);
  // The first signal lets it finish what it has begun.
  const { stderr } = await stopWorker(worker);
  assert.is(stderr, "");
});

onRedis(
  "without a worker it says so; broken lines and refusals need no second attempt",
  async () => {
    const path = writeBatch("mixed.jsonl", [
      "no JSON",
      lineOf("vector", "/v1/embeddings", { input: "Once" }),
      lineOf("other", "/v1/completions", { prompt: "Once", model: "other" }),
      lineOf("text", "/v1/completions", { prompt: "Once", max_tokens: 2 }),
    ]);
    const out = join(folder, "mixed-out.jsonl");
    const queue = ["--redis", url, "--queue", "mixed"];
    const { child, finished } = startBatch(path, out, ...queue);
    let shown = "";
    child.stderr.on("data", (chunk) => {
      shown += chunk;
    });
    await until(() => shown.includes("\n"));
    assert.match(shown, /^plm: no worker is there: plm worker --redis redis:\/\/127\.0\.0\.1:\d+ /);
    const worker = await startWorker(url, "--queue", "mixed");
    const { code, stderr } = await finished;
    assert.is(code, 1);
    assert.match(
      stderr,
      /\nplm: in: expected lines that are all answered, got 2 of 4 that were not/,
    );
    const answers = readAnswers(out);
    const statuses = answers.map(({ custom_id, response, error }) => {
      return [custom_id, response?.status_code ?? error!.code];
    });
    const expected = [
      ["other", 404],
      ["text", 200],
      ["vector", 200],
      [null, "invalid_line"],
    ];
    assert.equal(statuses.sort(), expected.sort());
    await stopWorker(worker);
  },
);

onRedis("flags of the model belong to the worker", async () => {
  const out = join(folder, "none.jsonl");
  const { code, stderr } = await plm("batch", stories, out, "--redis", url, "--threads", "2");
  assert.is(code, 1);
  assert.is(stderr, "plm: --threads: expected it for plm worker, got it beside --redis\n");
});

test.run();
