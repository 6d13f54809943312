/** `plm batch` in one process: answers, broken lines, and batches that go on. */
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Answers } from "../../src/cli/batch/answers.js";
import type { PlmError } from "../../src/errors.js";
import {
  type Answer,
  assertSameTexts,
  countLines,
  lineOf,
  readAnswers,
  startBatch,
  storyLines,
  textsOf,
  until,
  writeBatch,
} from "./support/batch.js";
import { assertFails, folder, plm } from "./support/plm.js";

const LINES = 20;
const stories = writeBatch("stories.jsonl", storyLines(LINES));
const whole = join(folder, "whole.jsonl");

function byId(path: string): ReadonlyMap<string | null, Answer> {
  return new Map(readAnswers(path).map((answer) => [answer.custom_id, answer]));
}

test("each line is answered once, and one line on standard error says so", async () => {
  const { code, stdout, stderr } = await plm("batch", stories, whole);
  assert.equal([code, stdout], [0, ""]);
  assert.match(
    stderr,
    /^plm: .*whole\.jsonl: all 20 lines are answered, \d+ tokens in [\d.]+ s\n$/,
  );
  assert.is(textsOf(whole).size, LINES);
  assert.not(existsSync(`${whole}.lock`));
});

test("texts do not depend on how many lines run together, nor on what came before", async () => {
  const shared = "Once upon a time there was a girl who lived near the sea. ".repeat(3);
  const lines = Array.from({ length: 12 }, (_, i) =>
    lineOf(`${i}`, "/v1/completions", { prompt: shared, max_tokens: 20 + i, seed: i % 3 }),
  );
  const [forth, back] = [
    writeBatch("forth.jsonl", lines),
    writeBatch("back.jsonl", lines.toReversed()),
  ];
  const outputs = ["1", "12"].map((parallel) => join(folder, `parallel-${parallel}.jsonl`));
  await plm("batch", forth, outputs[0], "--parallel", "1");
  const { stderr } = await plm("batch", back, outputs[1], "--parallel", "12");
  assert.match(stderr, /^plm: .*\n$/, "one line");
  assertSameTexts(outputs[1], outputs[0]);
});

test("all routes, answers that are errors, and lines that are none", async () => {
  const chat = { messages: [{ role: "user", content: "Hi" }], max_tokens: 3 };
  const path = writeBatch("mixed.jsonl", [
    lineOf("chat", "/v1/chat/completions", { ...chat, model: "plm-tiny" }),
    lineOf("text", "/v1/completions", { prompt: "Once", max_tokens: 3 }),
    lineOf("response", "/v1/responses", { input: "Once", max_output_tokens: 3 }),
    lineOf("vector", "/v1/embeddings", { input: ["Once", "Twice"] }),
    lineOf("wrong", "/v1/completions", { prompt: "Once", top_p: 7 }),
    lineOf("other", "/v1/chat/completions", { ...chat, model: "other" }),
    lineOf("many", "/v1/completions", { prompt: "Once", max_tokens: 2, n: 9 }),
    "no JSON",
    lineOf("stream", "/v1/chat/completions", { ...chat, stream: true }),
    lineOf("chat", "/v1/completions", { prompt: "Once" }),
  ]);
  const out = join(folder, "mixed-out.jsonl");
  const line = /^plm: in: expected lines that are all answered, got 5 of 10 that were not; .*says/;
  await assertFails(line, "batch", path, out);
  const answers = byId(out);
  const objects = ["chat", "text", "response", "vector"].map(
    (id) => answers.get(id)!.response!.body.object,
  );
  assert.equal(objects, ["chat.completion", "text_completion", "response", "list"]);
  const { response: wrong, error } = answers.get("wrong")!;
  assert.equal([wrong!.status_code, error], [400, null]);
  assert.is(wrong!.body.error!.message, "top_p: expected a number in [0, 1], got 7");
  assert.is(answers.get("other")!.response!.status_code, 404);
  assert.is(answers.get("many")!.response!.body.choices!.length, 9);
  const broken = readAnswers(out).filter(({ response }) => response === null);
  const numbers = broken.map(({ error }) => [error!.code, error!.line]);
  assert.equal(
    numbers.sort(),
    [10, 8, 9].map((number) => ["invalid_line", number]),
  );
  assert.match(answers.get("stream")!.error!.message, /^line 9: body\.stream: expected false/);
  // What failed counts as answered, whenever that was.
  const before = readFileSync(out, "utf8");
  const { code, stderr } = await plm("batch", path, out);
  assert.is(code, 1);
  assert.match(stderr, line);
  assert.is(readFileSync(out, "utf8"), before);
});

test("a batch that is killed goes on, with the same texts", async () => {
  const out = join(folder, "killed.jsonl");
  for (const [signal, atLeast] of [
    ["SIGKILL", 5],
    ["SIGTERM", 12],
  ] as const) {
    const { child, finished } = startBatch(stories, out, "--parallel", "2");
    await until(() => countLines(out) >= atLeast);
    child.kill(signal);
    const { code, stderr } = await finished;
    if (signal === "SIGKILL") {
      // As if the write had been under way.
      appendFileSync(out, '{"id":"batch_req_0123456789","custom_id":"sto');
    } else {
      assert.is(code, 128 + 15);
      assert.match(stderr, /killed\.jsonl has \d+ of 20 lines: the same command goes on\n$/);
    }
  }
  const { code, stderr } = await plm("batch", stories, out);
  assert.is(code, 0);
  assert.match(stderr, /^plm: .*killed\.jsonl has the answers to \d+ of 20 lines\n/);
  assertSameTexts(out, whole);
});

test("an output that is another's is refused, and left as it is", async () => {
  const out = join(folder, "other.jsonl");
  const keys = new Set(textsOf(whole).keys());
  const first = readFileSync(whole, "utf8").split("\n", 1)[0];
  const stranger = first.replace(/"story-\d+"/, '"stranger"');
  const cases: [content: string, message: RegExp][] = [
    [`${stranger}\n`, /answers to this batch, got one to custom_id "stranger", which it does not/],
    [`${first}\n${first}\n`, /an answer to each line, got two to "story-\d+"$/],
    [`${first}\nnotes\n`, /answers of plm batch, got another text in line 2$/],
    [`${first}\n\n`, /answers of plm batch, got another text in line 2$/],
    ["no line feed", /answers of plm batch, got another text in line 1$/],
    ["{}\n", /answers of plm batch, got another text in line 1$/],
  ];
  for (const [content, message] of cases) {
    writeFileSync(out, content);
    const error = await Answers.open(out, keys).then(
      () => assert.unreachable(content),
      (error: PlmError) => error,
    );
    assert.is(error?.code, "INVALID_ARGUMENT");
    assert.match(error!.message, /^out: expected /);
    assert.match(error!.message, message);
    assert.is(readFileSync(out, "utf8"), content);
    assert.not(existsSync(`${out}.lock`));
  }
  const { code, stderr } = await plm("batch", stories, out);
  assert.equal(
    [code, stderr],
    [1, "plm: out: expected answers of plm batch, got another text in line 1\n"],
  );
});

test("answers that are added together are all written, and a torn one is cut off", async () => {
  const out = join(folder, "added.jsonl");
  const keys = Array.from({ length: 500 }, (_, i) => `line-${i}`);
  const answers = await Answers.open(out, new Set(keys));
  const add = (customId: string, i: number): Promise<void> =>
    answers.add({ number: i, customId, problem: "" }, { status: 200, body: { i } });
  await Promise.all(keys.map(add));
  await answers.close();
  const written = readFileSync(out, "utf8");
  assert.equal(
    readAnswers(out).map(({ custom_id }) => custom_id),
    keys,
  );
  for (const end of [1, 10, 40]) {
    const torn = written.slice(0, written.length - end);
    writeFileSync(out, torn);
    const again = await Answers.open(out, new Set(keys));
    assert.is(again.keys.size, 499);
    await again.close();
    assert.is(readFileSync(out, "utf8"), torn.slice(0, torn.lastIndexOf("\n") + 1));
  }
});

test("one command at a time writes an output", async () => {
  const out = join(folder, "locked.jsonl");
  const { child, finished } = startBatch(stories, out, "--parallel", "1");
  await until(() => countLines(out) >= 2);
  const line = /^plm: out: expected a file that no other plm batch writes, got .*locked\.jsonl/;
  await assertFails(line, "batch", stories, out);
  child.kill("SIGKILL");
  await finished;
  assert.is((await plm("batch", stories, out)).code, 0);
  assertSameTexts(out, whole);
});

test("an output that something else changes meanwhile is given up", async () => {
  for (const change of [appendFileSync, rmSync] as ((path: string, text?: string) => void)[]) {
    const out = join(folder, "changed.jsonl");
    const { finished } = startBatch(stories, out, "--parallel", "1");
    await until(() => countLines(out) >= 2);
    if (change === rmSync) rmSync(out);
    else appendFileSync(out, "another\n");
    const { code, stderr } = await finished;
    assert.is(code, 1);
    assert.match(stderr, /^plm: out: .* could not be written: something else changed it meanwhile/);
    rmSync(out, { force: true });
  }
});

test("what it cannot start with is one line", async () => {
  const out = join(folder, "none.jsonl");
  await assertFails(/^plm: in: expected a file that can be read: ENOENT/, "batch", "no-such", out);
  await assertFails(/^plm: out: expected another file than the input/, "batch", stories, stories);
  await assertFails(/^plm: out: no\/out could not be written/, "batch", stories, "no/out");
  await assertFails(/^plm: .*no-such\.gguf/, "batch", stories, out, "--model", "no-such.gguf");
  assert.equal(readAnswers(out), []);
});

test.run();
