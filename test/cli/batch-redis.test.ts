/** Batches while a real Redis is away, forgets, is full, or is none. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { parseRedisUrl } from "../../src/cli/batch/redis-link.js";
import type { PlmError } from "../../src/errors.js";
import { startRedis } from "../support/redis-server.js";
import {
  assertSameTexts,
  countLines,
  startBatch,
  startWorker,
  stopWorker,
  storyLines,
  until,
  writeBatch,
} from "./support/batch.js";
import { assertFails, folder, plm } from "./support/plm.js";

const LINES = 20;
const PASSWORD = "s3cret word";
const redis = await startRedis({ keeps: true, password: PASSWORD });
const onRedis = redis === undefined ? test.skip : test;
test.after(() => redis?.stop());

const stories = writeBatch("stories.jsonl", storyLines(LINES));
const whole = join(folder, "whole.jsonl");
if (redis !== undefined) assert.is((await plm("batch", stories, whole)).code, 0);

/** Longer than what is not worth a word. */
const AWAY_MS = 4_000;

onRedis("Redis stands still, then it is killed, comes back, and has forgotten", async () => {
  const { url } = redis!;
  const out = join(folder, "troubled.jsonl");
  const worker = await startWorker(url, "--parallel", "2");
  const { finished } = startBatch(stories, out, "--redis", url);
  await until(() => countLines(out) >= 4);
  redis!.pause();
  await sleep(AWAY_MS);
  redis!.resume();
  await until(() => countLines(out) >= 8);
  await redis!.kill();
  await sleep(AWAY_MS);
  await redis!.restart();
  redis!.command("FLUSHALL");
  const { code, stderr } = await finished;
  assert.is(code, 0, stderr);
  assertSameTexts(out, whole);
  assert.is(redis!.command("KEYS", "bull:*:line-*"), "");
  const said = stderr + (await stopWorker(worker)).stderr;
  assert.not.match(said, /s3cret|Unhandled|at .*\.js:/);
  assert.match(said, /^plm: redis:\/\/127\.0\.0\.1:\d+ does not answer: waiting for it/m);
  assert.match(said, /^plm: redis:\/\/127\.0\.0\.1:\d+ answers again$/m);
  assert.match(said, / does not answer: waiting for it \(ECONNREFUSED\)$/m);
});

test("a Redis with too little room for the batch, and then for nothing", async () => {
  const small = await startRedis({ maxmemory: "3mb" });
  if (small === undefined) return;
  const user = "x".repeat(60_000);
  const fat = writeBatch("fat.jsonl", storyLines(50, { user, max_tokens: 4 }));
  const [here, out] = ["fat-here.jsonl", "fat-out.jsonl"].map((name) => join(folder, name));
  const worker = await startWorker(small.url);
  const { code, stderr } = await plm("batch", fat, out, "--redis", small.url);
  assert.is(code, 0, stderr);
  assert.match(stderr, /^plm: redis:.* is full: waiting for room$/m);
  assert.is((await plm("batch", fat, here)).code, 0);
  assertSameTexts(out, here);
  small.command("CONFIG", "SET", "maxmemory", "1mb");
  const line = /\nplm: --redis: expected room in redis:\S+, got none in 2 s\n$/;
  const again = join(folder, "none.jsonl");
  const late = await plm("batch", fat, again, "--redis", small.url, "--redis-timeout", "2");
  assert.is(late.code, 1);
  assert.match(late.stderr, line);
  await stopWorker(worker);
  await small.stop();
});

onRedis("a Redis that stays away, and what is no Redis", async () => {
  const { url, port } = redis!;
  const out = join(folder, "away.jsonl");
  const timeout = ["--redis-timeout", "4"];
  const worker = await startWorker(url, ...timeout);
  const batch = startBatch(stories, out, "--redis", url, ...timeout);
  await until(() => countLines(out) >= 2);
  await redis!.kill();
  for (const { finished } of [worker, batch]) {
    const { code, stderr } = await finished;
    assert.is(code, 1);
    const line = new RegExp(
      `plm: --redis: expected redis://127.0.0.1:${port} to answer, got E\\w+\n$`,
    );
    assert.match(stderr, line);
  }
  await redis!.restart();
  const wrong = url.replace(/:[^:]*@/, ":s3cret@");
  const refused = new RegExp(
    `^plm: --redis: expected redis://127.0.0.1:${port} to answer, got WRONGPASS\n$`,
  );
  await assertFails(refused, "batch", stories, out, "--redis", wrong);
});

test("an address that is none, or that of something else, is refused without a word of it", () => {
  const form =
    /^--redis: expected a URL such as redis:\/\/localhost:6379, got (what is no URL|one of \w+:)$/;
  for (const text of ["s3cret", "http://u:s3cret@localhost", "redis://", "redis://:s3 cret@"]) {
    assert.throws(
      () => parseRedisUrl(text),
      ({ code, message }: PlmError) => code === "INVALID_ARGUMENT" && form.test(message),
    );
  }
  assert.is(parseRedisUrl("rediss://:key@host/2").hostname, "host");
});

test.run();
