/** The lines of batch files: what is a request, and what is said of the rest. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { jobIdOf } from "../../src/cli/batch/line-jobs.js";
import { type BatchLine, keyOf, MOST_LINE_BYTES, readBatch } from "../../src/cli/batch/lines.js";
import { splitLines } from "../../src/cli/batch/split-lines.js";
import { seededRandom } from "../support/random.js";
import { lineOf, storyLines } from "./support/batch.js";
import { folder } from "./support/plm.js";

const PATH = join(folder, "lines.jsonl");

async function read(content: string | Uint8Array): Promise<BatchLine[]> {
  writeFileSync(PATH, content);
  const lines: BatchLine[] = [];
  for await (const line of readBatch(PATH)) lines.push(line);
  return lines;
}

const good = (id: string, changes: object = {}): string =>
  JSON.stringify({ ...lineOf(id, "/v1/completions", { prompt: "Once" }), ...changes });

test("a request is read as it stands, and empty lines are skipped", async () => {
  const lines = await read(`\uFEFF${good("a")}\n\n \t\r\n${good("b", { extra: 1 })}\r\n`);
  const request = { url: "/v1/completions", body: '{"prompt":"Once"}' };
  assert.equal(lines, [
    { number: 1, customId: "a", request },
    { number: 4, customId: "b", request },
  ]);
  assert.equal(await read(""), []);
  // The last line feed may be missing.
  assert.is((await read(good("a"))).length, 1);
});

const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;

const BROKEN: readonly [text: string | Buffer, problem: RegExp, customId: string | null][] = [
  ["garbage", /text: expected JSON, got a text that is none$/, null],
  [good("a").slice(0, -1), /text: expected JSON/, null],
  ["[1]", /text: expected a JSON object, got \[1\]$/, null],
  ["null", /text: expected a JSON object, got null$/, null],
  [Buffer.from([0x7b, 0xff, 0x7d]), /text: expected UTF-8, got other bytes$/, null],
  [good("a", { custom_id: 7 }), /custom_id: expected a text that is not empty, got 7$/, null],
  [good(""), /custom_id: expected a text that is not empty, got ""$/, null],
  [good("a", { method: "GET" }), /method: expected "POST", got "GET"$/, "a"],
  [good("a", { url: "/v1/models" }), /url: expected .*embeddings, got "\/v1\/models"$/, "a"],
  [good("a", { url: undefined }), /url: expected .*, got nothing$/, "a"],
  [good("a", { body: "text" }), /body: expected an object, got "text"$/, "a"],
  [good("a", { body: { stream: true } }), /body\.stream: expected false, got true$/, "a"],
  [good("a").replace('"Once"', deep), /expected JSON/, null],
];

test("broken lines say which line it is, what was expected and what came", async () => {
  for (const [text, problem, customId] of BROKEN) {
    const content = Buffer.concat([Buffer.from(`${good("first")}\n`), Buffer.from(text)]);
    const [first, broken] = await read(Buffer.concat([content, Buffer.from("\n")]));
    assert.is(first.customId, "first");
    assert.ok("problem" in broken, String(problem));
    assert.match(broken.problem, /^line 2: /);
    assert.match(broken.problem, problem);
    if (customId !== null) assert.is(broken.customId, customId);
  }
});

test("a custom_id belongs to the first line that has it, broken or not", async () => {
  const lines = await read([good("a", { url: "/" }), good("b"), good("a"), good("b")].join("\n"));
  assert.equal(lines.map(keyOf), ["a", "b", 3, 4]);
  assert.match(
    (lines[2] as { problem: string }).problem,
    /^line 3: custom_id: expected one of its own, got "a", which line 1 has$/,
  );
});

test("a line that is too long is not kept in memory, and does not end the batch", async () => {
  const long = good("long", { body: { prompt: "x".repeat(MOST_LINE_BYTES) } });
  const [first, second] = await read(`${long}\n${good("b")}\n`);
  assert.match((first as { problem: string }).problem, /^line 1: text: expected at most \d+ bytes/);
  assert.is(second.customId, "b");
});

test("random garbage: each line that is not empty is a request or says what is wrong", async () => {
  const random = seededRandom(7);
  const sample = Buffer.from(
    storyLines(3)
      .map((line) => `${JSON.stringify(line)}\n`)
      .join(""),
  );
  for (let round = 0; round < 300; round++) {
    const bytes = Buffer.from(sample);
    for (let i = 1 + Math.floor(random() * 8); i > 0; i--) {
      bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    }
    const lines = await read(bytes.subarray(0, Math.floor(random() * bytes.length)));
    assert.is(new Set(lines.map(keyOf)).size, lines.length, `round ${round}`);
    for (const line of lines) {
      if ("problem" in line) assert.match(line.problem, new RegExp(`^line ${line.number}: `));
      else assert.type(JSON.parse(line.request.body), "object");
    }
  }
});

test("lines of any length are split where they end", async () => {
  const random = seededRandom(3);
  const parts = Array.from({ length: 50 }, () => Math.floor(random() ** 4 * 300_000));
  const texts = parts.map((length, i) => String.fromCharCode(97 + (i % 26)).repeat(length));
  writeFileSync(PATH, texts.join("\n"));
  let start = 0;
  let i = 0;
  for await (const line of splitLines(PATH, "in")) {
    assert.is(String(line.bytes), texts[i]);
    assert.equal([line.number, line.start], [i + 1, start]);
    assert.is(line.isWhole, i < texts.length - 1);
    start += texts[i++].length + 1;
  }
  assert.is(i, texts.at(-1) === "" ? texts.length - 1 : texts.length);
});

test("the same line is the same job, and another line another", async () => {
  const idsOf = async (content: string): Promise<string[]> => {
    const lines = await read(content);
    return lines.flatMap((line) => ("request" in line ? [jobIdOf(line, line.request)] : []));
  };
  const ids = await idsOf([good("a"), good("b"), good("c", { body: {} })].join("\n"));
  assert.is(new Set(ids).size, 3);
  assert.match(ids[0], /^line-[0-9a-f]{40}$/);
  assert.equal(await idsOf(`\n${good("a")}`), [ids[0]]);
});

test.run();
