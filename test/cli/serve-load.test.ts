/**
 * Many requests at a time against `plm serve`: all are answered, nothing stays behind, and /health
 * answers throughout. REQUESTS is their number.
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { seededRandom } from "../support/random.js";
import { start } from "./support/plm.js";

const REQUESTS = Number(process.env.REQUESTS ?? 100);
const AT_A_TIME = 16;
const MODEL = join(process.cwd(), "models/plm-tiny.gguf");

const child = start("serve", "--port", "0", "--model", MODEL, "--parallel", "8");
process.on("exit", () => child.kill("SIGKILL"));
child.stderr.pipe(process.stderr);
const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
const url = line.replace(" is ready", "");
test.after(() => {
  child.kill("SIGKILL");
});

const random = seededRandom(1);
const SHARED = "Once upon a time there was a little girl who lived near the sea. ".repeat(4);
const schema = {
  type: "object",
  properties: { name: { type: "string", maxLength: 8 }, age: { type: "integer" } },
  required: ["name", "age"],
};

/** A request of one of the kinds, which repeat in turn. */
function bodyOf(i: number): object {
  const content = i % 3 === 0 ? `${SHARED}${i}` : `Story number ${i}.`;
  return {
    messages: [{ role: "user", content }],
    max_tokens: 8 + Math.floor(random() * 40),
    stream: i % 2 === 0,
    seed: i,
    ...(i % 5 === 0 && { response_format: { type: "json_schema", json_schema: { schema } } }),
  };
}

type Outcome = "answered" | "aborted";

async function ask(i: number): Promise<Outcome> {
  const controller = new AbortController();
  const aborts = i % 10 === 7;
  if (aborts) setTimeout(() => controller.abort(), random() * 200);
  const body = JSON.stringify(bodyOf(i));
  try {
    const path = `${url}/v1/chat/completions`;
    const response = await fetch(path, { method: "POST", body, signal: controller.signal });
    const text = await response.text();
    assert.is(response.status, 200, text);
    const isWhole = i % 2 === 0 ? text.endsWith("data: [DONE]\n\n") : text.includes('"usage":{');
    assert.ok(isWhole, text.slice(-200));
    return "answered";
  } catch (error) {
    if (!aborts || (error as Error).name !== "AbortError") throw error;
    return "aborted";
  }
}

/** Runs all requests, so many at a time. */
async function askAll(): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < REQUESTS) outcomes.push(await ask(next++));
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  return outcomes;
}

/** A metric, after a small request: before, a worker's pages are those of its last answer. */
async function metric(name: string): Promise<number> {
  const body = JSON.stringify({ prompt: "a", max_tokens: 1 });
  await (await fetch(`${url}/v1/completions`, { method: "POST", body })).text();
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^${name} (.*)$`, "m").exec(text)?.[1]);
}

/** Bytes of memory that the server has in use; 0 where the system does not say. */
function residentBytes(): number {
  try {
    const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
    return 1024 * Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
  } catch {
    return 0;
  }
}

test("all are answered, and nothing stays behind", async () => {
  const pages = await metric("plm:pages_in_use");
  let isOver = false;
  const waits: number[] = [];
  const watch = (async () => {
    while (!isOver) {
      const startMs = performance.now();
      assert.is((await fetch(`${url}/health`)).status, 200);
      waits.push(performance.now() - startMs);
      await sleep(20);
    }
  })();
  const outcomes = await askAll();
  isOver = true;
  await watch;
  assert.is(outcomes.length, REQUESTS);
  assert.ok(outcomes.filter((outcome) => outcome === "answered").length >= 0.9 * REQUESTS);
  assert.is(await metric("llamacpp:requests_processing"), 0);
  assert.is(await metric("llamacpp:requests_deferred"), 0);
  assert.ok((await metric("plm:pages_in_use")) <= pages);
  waits.sort((a, b) => a - b);
  const p99 = waits[Math.floor(0.99 * (waits.length - 1))];
  const aborted = outcomes.filter((outcome) => outcome === "aborted").length;
  const megabytes = Math.round(residentBytes() / 1e6);
  console.log(
    `${REQUESTS} requests, ${aborted} aborted; /health ${p99.toFixed(1)} ms at the 99th ` +
      `percentile of ${waits.length}; ${megabytes} MB`,
  );
});

test.run();
