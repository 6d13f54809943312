import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { loadModel } from "../../src/index.js";
import { tinyModel } from "../model/support/tiny.js";
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
} from "./support/plm.js";

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

test("an empty prompt is one where the file asks for a begin token", async () => {
  const path = join(folder, "begin.gguf");
  const file = tinyModel({ type: "Q8_0" }, ({ metadata }) => {
    const key = "tokenizer.ggml.add_bos_token";
    metadata.set(key, { key, type: "bool", value: true });
    const id = "tokenizer.ggml.bos_token_id";
    metadata.set(id, { key: id, type: "uint32", value: 257 });
  });
  writeFileSync(path, file);
  const flags = ["generate", "-n", "3", "--seed", "1", "--ignore-eos", "--json"];
  const result = await json<GenerateJson>(...flags, "-m", path, "-p", "");
  assert.is(result.promptTokens, 1);
  // Of a session, the begin token comes first and only there.
  for (const count of [3, 2]) {
    const begun = await json<GenerateJson>(...flags, "-m", path, "-p", "Hi", "--session", "begun");
    assert.is(begun.promptTokens, count);
  }
  const expected = /^plm: --prompt: expected a text, got an empty one\n$/;
  await assertFails(expected, ...flags, "-m", model, "-p", "");
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
    output(...flags, "--precision", "fast", "--threads", "2"),
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

test("a signal keeps what was written and ends with 128 + its number", async () => {
  for (const [signal, expected] of [["SIGINT", 130] as const, ["SIGTERM", 143] as const]) {
    const child = startEndless();
    const ended = finish(child);
    await once(child.stdout, "data");
    child.kill(signal);
    const { code, stdout, stderr } = await ended;
    assert.is(code, expected);
    assert.match(stdout, /\S.*\n$/s);
    assert.is(stderr, "");
  }
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

test("no number that passes the check fails at the first token", async () => {
  // Each would be an infinite logit in f32, or in f64, for a token of the prompt or of the text.
  const options = [
    ["--frequency-penalty", "-1e308"],
    ["--presence-penalty", "-1e300"],
    ["--repeat-penalty", "1e-300"],
    ["--repeat-penalty", "1e300"],
    ["--logit-bias", "5=1e300"],
    ["--logit-bias", "5=-1e300"],
    ["--temperature", "1e-320"],
    ["--temperature", "1e308"],
    ["--temperature=-0", "--seed=-0"],
    ["--top-k", "1e300", "--repeat-last-n", "1e300"],
  ];
  const generate = ["generate", "-m", model, "-p", "Once upon Once", "-n", "4", "--ignore-eos"];
  for (const each of options) {
    const { tokens } = await json<GenerateJson>(...generate, ...each);
    assert.is(tokens.length, 4, each.join(" "));
  }
});

test("numbers out of range are refused by name, before a model is opened", async () => {
  const wrong = [
    ["--top-k", "1.5"],
    ["--top-k", "-1"],
    ["--top-p", "1.1"],
    ["--min-p", "-0.1"],
    ["--typical-p", "1e400"],
    ["--temperature", "1e400"],
    ["--temperature", "NaN"],
    ["--repetition-penalty", "0"],
    ["--repetition-window", "0.5"],
    ["--presence-penalty", "-Infinity"],
    ["--frequency-penalty", "Infinity"],
    ["--seed", "9007199254740992"],
    ["--max-tokens", "-1"],
    ["--max-tokens", "1e-3"],
    ["--logprobs", "2.5"],
    ["--threads", "0"],
    ["--context", "1e99"],
    ["--batch", "none"],
  ];
  for (const [flag, value] of wrong) {
    const line = new RegExp(`^plm: ${flag}: expected [^;]*, got "?[^;]*"?\\n$`);
    await assertFails(line, "generate", "-m", "none.gguf", "-p", "x", `${flag}=${value}`);
  }
});

test("a bias for an id outside the vocabulary is refused before the weights are read", async () => {
  // Weights that are refused when they are read: the last are NaN.
  const broken = join(folder, "nan.gguf");
  const bytes = readFileSync(model);
  writeFileSync(broken, bytes.fill(0xff, bytes.length - 64));
  for (const command of [["generate", "-p", "x"], ["chat"]]) {
    const args = [...command, "-m", broken];
    await assertFails(/expected finite weights/, ...args);
    const line = /--logit-bias: expected a token id in \[0, 640\), got 640/;
    await assertFails(line, ...args, "--logit-bias", "640=1");
  }
});

test("mistakes are reported in one line", async () => {
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
    assertFails(/--file: expected --prompt or --file, got both/, ...generate(...twice)),
    assertFails(/--file: expected a readable file, got ENOENT/, ...generate("--file", "none.txt")),
    assertFails(/--temperature: expected .*; --top-k: expected/, ...generate("-p", "x", ...bad)),
    assertFails(/--seed: expected a number, got "abc"/, ...generate("-p", "x", "--seed", "abc")),
    assertFails(/--logit-bias: expected .*, got "7"/, ...generate("-p", "x", "--logit-bias", "7")),
  ]);
  await Promise.all([
    assertFails(/--threads: expected an integer >= 1, got "0"/, ...generate("--threads", "0")),
    assertFails(/--context: expected .* 1024, got 4096/, ...generate("-p", "x", "-c", "4096")),
    assertFails(/--cache <type>' argument 'q3'.*i16/, ...generate("-p", "x", "--cache", "q3")),
    assertFails(
      /--prompt: expected at most 3 tokens \(the context\), got 5/,
      ...generate("-p", "12345", "-c", "3"),
    ),
    assertFails(/none\.gguf: .*no such file/, "generate", "-p", "x", "-m", "none.gguf"),
    assertFails(/--model: expected a path/, "generate", "-p", "x", "-m", ""),
    assertFails(/cut\.gguf: tensor .* the file has/, "generate", "-p", "x", "-m", cut),
    assertFails(/no\.gguf: /, "generate", "-p", "x", "-m", noGguf),
  ]);
});

test.run();
