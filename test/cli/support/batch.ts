/** Batch files, their answers, and the processes that answer them. */
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import * as assert from "uvu/assert";
import { finish, folder, type Run, start } from "./plm.js";

/** How long anything may take. */
const PATIENCE_MS = 120_000;

/** The model that ships. */
export const TINY: string = resolve("models/plm-tiny.gguf");

/** A line of the output. */
export interface Answer {
  readonly id: string;
  readonly custom_id: string | null;
  readonly response: { readonly status_code: number; readonly body: AnswerBody } | null;
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly line: number;
  } | null;
}

interface AnswerBody {
  readonly object?: string;
  readonly choices?: readonly object[];
  readonly error?: { readonly message: string };
}

/** A line of the input. */
export function lineOf(custom_id: string, url: string, body: object): object {
  return { custom_id, method: "POST", url, body };
}

/** So many lines with seeds, half of them chats. */
export function storyLines(count: number, body: object = {}): object[] {
  return Array.from({ length: count }, (_, i) => {
    const common = { max_tokens: 24, seed: i, ...body };
    const messages = [{ role: "user", content: `Tell me story number ${i}.` }];
    return i % 2 === 0
      ? lineOf(`story-${i}`, "/v1/chat/completions", { ...common, messages })
      : lineOf(`story-${i}`, "/v1/completions", { ...common, prompt: `Story ${i}: Once` });
  });
}

/** Writes a batch file, lines as they are or as JSON, and returns its path. */
export function writeBatch(name: string, lines: readonly (object | string)[]): string {
  const path = join(folder, name);
  const texts = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line)));
  writeFileSync(path, texts.map((text) => `${text}\n`).join(""));
  return path;
}

/** The lines of an output, every one whole; none where there is no file. */
export function readAnswers(path: string): Answer[] {
  if (!existsSync(path)) return [];
  const text = readFileSync(path, "utf8");
  assert.ok(text === "" || text.endsWith("\n"), "the last line is whole");
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Answer);
}

/** What was written for each line; fails if one has two answers, or is not answered as it asked. */
export function textsOf(path: string): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const { custom_id, response } of readAnswers(path)) {
    assert.not(texts.has(custom_id!), `${custom_id} has one answer`);
    assert.is(response?.status_code, 200, custom_id!);
    texts.set(custom_id!, JSON.stringify(response!.body.choices));
  }
  return texts;
}

/** Fails unless both outputs have the same texts, whatever their order. */
export function assertSameTexts(actual: string, expected: string): void {
  const sorted = (path: string): [string, string][] => [...textsOf(path)].sort();
  assert.equal(sorted(actual), sorted(expected));
}

/** Resolves when the condition holds. */
export async function until(condition: () => boolean): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS;
  while (!condition()) {
    assert.ok(performance.now() < endMs, String(condition));
    await sleep(10);
  }
}

const children = new Set<ChildProcessWithoutNullStreams>();
process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});

/** A process that is killed when the test ends. */
export interface Started {
  readonly child: ChildProcessWithoutNullStreams;
  readonly finished: Promise<Run>;
}

export function startBatch(...args: string[]): Started {
  const child = start("batch", ...args);
  children.add(child);
  return { child, finished: finish(child) };
}

/** Starts `plm worker` and waits until it takes jobs. */
export async function startWorker(url: string, ...args: string[]): Promise<Started> {
  const child = start("worker", "--redis", url, "--model", TINY, ...args);
  children.add(child);
  const finished = finish(child);
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  assert.match(line, /^redis:\/\/127\.0\.0\.1:\d+ is ready$/);
  return { child, finished };
}

/** Lets a worker finish what it has begun. */
export async function stopWorker({ child, finished }: Started): Promise<Run> {
  child.kill("SIGTERM");
  const run = await finished;
  assert.is(run.code, 128 + 15, run.stderr);
  return run;
}

/** The number of whole lines that an output has so far. */
export function countLines(path: string): number {
  return existsSync(path) ? readFileSync(path, "utf8").split("\n").length - 1 : 0;
}
