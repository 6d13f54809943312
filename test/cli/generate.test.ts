import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { loadModel } from "../../src/index.js";
import {
  assertFails,
  finish,
  folder,
  json,
  model,
  output,
  plm,
  plmWith,
  start,
  writeRandomModel,
} from "./plm.js";

interface GenerateJson {
  text: string;
  tokens: number[];
  promptTokens: number;
  finishReason: string;
  seed: number;
  timings: Record<string, number>;
  logprobs?: { token: number; logprob: number; top: unknown[] }[];
}

const library = await loadModel(model);

test("the text is what the library generates, as text and as JSON", async () => {
  const prompt = "Once upon\na time — 你好 🚀";
  const options = { maxTokens: 24, seed: 3, temperature: 0.9, topK: 30, topP: 0.9, minP: 0.01 };
  const expected = await library.generate(prompt, options).result();
  const flags = ["generate", "-m", model, "--prompt", prompt, "--max-tokens", "24", "--seed", "3"];
  flags.push("--temperature", "0.9", "--top-k", "30", "--top-p", "0.9", "--min-p", "0.01");
  const [text, result] = await Promise.all([output(...flags), json<GenerateJson>(...flags)]);
  assert.is(text, `${expected.text}\n`);
  assert.is(result.text, expected.text);
  assert.equal(result.tokens, expected.tokens);
  assert.is(result.promptTokens, expected.promptTokens);
  assert.is(result.finishReason, "length");
  assert.is(result.seed, 3);
  assert.equal(Object.keys(result.timings), Object.keys(expected.timings));
});

test("llama.cpp's names, penalties, biases, stop strings and log probabilities", async () => {
  const [word, other] = library.tokenizer.encode(" girl boy");
  const options = {
    maxTokens: 40,
    seed: 1,
    temperature: 1.5,
    typicalP: 0.9,
    repetitionPenalty: 1.3,
    repetitionWindow: 8,
    presencePenalty: 0.5,
    frequencyPenalty: 0.25,
    logitBias: new Map([
      [word, 9],
      [other, -Infinity],
    ]),
    stop: ["girl", "zebra"],
    logprobs: 2,
  };
  const expected = await library.generate("Hi", options).result();
  const result = await json<GenerateJson>(
    ...["generate", "-m", model, "-p", "Hi", "-n", "40", "-s", "1", "--temp", "1.5"],
    ...["--typical", "0.9", "--repeat-penalty", "1.3", "--repeat-last-n", "8"],
    ...["--presence-penalty", "0.5", "--frequency-penalty", "0.25", "--logprobs", "2"],
    ...["--logit-bias", `${word}=9`, "--logit-bias", `${other}=-inf`],
    ...["--stop", "girl", "--stop", "zebra"],
  );
  assert.is(result.finishReason, "stop");
  assert.is(result.text, expected.text);
  assert.equal(result.tokens, expected.tokens);
  assert.equal(result.logprobs, expected.logprobs);
});

test("the prompt may come from a file or standard input, special tokens on demand", async () => {
  const prompt = "<|im_start|>user\nHi<|im_end|>\n";
  writeFileSync(join(folder, "prompt.txt"), prompt);
  const flags = ["generate", "-m", model, "--seed", "5", "-n", "8", "--json"];
  const [file, input, special] = await Promise.all([
    plm(...flags, "--file", "prompt.txt"),
    plmWith(prompt, ...flags),
    plmWith(prompt, ...flags, "--special"),
  ]);
  const [fromFile, fromInput, asSpecial] = [file, input, special].map(
    ({ stdout }) => JSON.parse(stdout) as GenerateJson,
  );
  assert.equal(fromFile.tokens, fromInput.tokens);
  assert.is(fromInput.promptTokens, library.tokenizer.encode(prompt).length);
  assert.is(asSpecial.promptTokens, library.tokenizer.encode(prompt, { special: true }).length);
});

test("special tokens that the model writes are shown on demand", async () => {
  const [start] = library.tokenizer.encode("<|im_start|>", { special: true });
  const flags = ["generate", "-m", model, "-p", "Hi", "-n", "3", "--logit-bias", `${start}=1000`];
  const [hidden, shown] = await Promise.all([
    json<GenerateJson>(...flags),
    json<GenerateJson>(...flags, "--special"),
  ]);
  assert.equal([hidden.text, hidden.tokens], ["", [start, start, start]]);
  assert.equal([shown.text, shown.tokens], ["<|im_start|>".repeat(3), [start, start, start]]);
});

test("caches, attention forms, batches and precisions and threads work", async () => {
  const flags = ["generate", "-m", model, "-p", "One day", "-n", "4", "--temperature", "0"];
  const texts = await Promise.all([
    output(...flags),
    output(...flags, "--cache", "f32", "--attention", "expanded", "--batch", "3"),
    output(...flags, "--cache", "f16", "--attention", "absorbed", "--context", "64"),
    output(...flags, "--cache", "i16", "--precision", "exact", "--threads", "1"),
    output(...flags, "--precision", "fast", "--threads", "3"),
  ]);
  assert.is(new Set(texts).size, 1);
  const { code, stderr, stdout } = await plm(...flags, "--threads", "2", "--verbose");
  assert.is(code, 0);
  assert.is(stdout, texts[0]);
  assert.match(stderr, /^plm: prompt \d+ tokens.*seed \d+\n$/);
});

test("without --model, the model of the package tells a story", async () => {
  const text = await output("generate", "--prompt", "Once upon a time", "-n", "40", "--seed", "1");
  assert.match(text, /^,? there (was|were|lived) /);
  assert.ok(text.split(" ").length > 20, text);
});

/** A model with room for a text that takes minutes. */
function startEndless(): ReturnType<typeof start> {
  const path = writeRandomModel("endless.gguf", { context: 65536 });
  return start("generate", "-m", path, "-p", "On", "-n", "Infinity", "--ignore-eos", "--verbose");
}

test("Ctrl-C ends what reads its text", async () => {
  const child = start("generate", "-m", model);
  const ended = finish(child);
  // More than a pipe holds: it is being read when all is written.
  await new Promise((resolve) => child.stdin.write("x".repeat(1 << 20), resolve));
  child.kill("SIGINT");
  const { code, stdout } = await ended;
  assert.is(code, 130);
  assert.is(stdout, "");
});

test("a closed standard error does no harm", async () => {
  const child = start("generate", "-m", model, "-p", "On", "-n", "3", "--verbose");
  child.stderr.destroy();
  const { code, stdout } = await finish(child);
  assert.is(code, 0);
  assert.ok(stdout.length > 0);
});

test("Ctrl-C keeps what was written and ends with 130", async () => {
  const child = startEndless();
  const ended = finish(child);
  await once(child.stdout, "data");
  child.kill("SIGINT");
  const { code, stdout, stderr } = await ended;
  assert.is(code, 130);
  assert.match(stdout, /\S.*\n$/s);
  assert.is(stderr, "");
});

test("a reader that leaves ends it quietly", async () => {
  const child = startEndless();
  const ended = finish(child);
  await once(child.stdout, "data");
  child.stdout.destroy();
  const { code, stderr } = await ended;
  assert.is(code, 0);
  assert.is(stderr, "");
});

test("mistakes are told in one line", async () => {
  const generate = (...args: string[]): string[] => ["generate", "-m", model, ...args];
  const cut = join(folder, "cut.gguf");
  const bytes = readFileSync(model);
  writeFileSync(cut, bytes.subarray(0, bytes.length - 1000));
  const noGguf = join(folder, "no.gguf");
  writeFileSync(noGguf, "not a model");
  const twice = ["-p", "x", "--file", "y"];
  const bad = ["--temperature", "-1", "--top-k", "1.5"];
  await Promise.all([
    assertFails(/--prompt: expected a text/, ...generate("-p", "")),
    assertFails(/--prompt or --file, got both/, ...generate(...twice)),
    assertFails(/--file: expected a readable file, got ENOENT/, ...generate("--file", "none.txt")),
    assertFails(/--temperature: expected .*; --top-k: expected/, ...generate("-p", "x", ...bad)),
    assertFails(/--seed: expected a number, got "abc"/, ...generate("-p", "x", "--seed", "abc")),
    assertFails(/--logit-bias: expected .*, got "7"/, ...generate("-p", "x", "--logit-bias", "7")),
  ]);
  await Promise.all([
    assertFails(/--threads: expected an integer >= 1, got "0"/, ...generate("--threads", "0")),
    assertFails(/--context: expected .* 1024, got 4096/, ...generate("-p", "x", "-c", "4096")),
    assertFails(/--cache <type>' argument 'q3'.*i16/, ...generate("-p", "x", "--cache", "q3")),
    assertFails(/expected at most 3 more tokens/, ...generate("-p", "12345", "-c", "3")),
    assertFails(/none\.gguf: .*no such file/, "generate", "-p", "x", "-m", "none.gguf"),
    assertFails(/--model: expected a path/, "generate", "-p", "x", "-m", ""),
    assertFails(/cut\.gguf: tensor .* the file has/, "generate", "-p", "x", "-m", cut),
    assertFails(/no\.gguf: /, "generate", "-p", "x", "-m", noGguf),
  ]);
});

test.run();
