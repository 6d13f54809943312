/** Texts that are held to a form, by a model that knows nothing of forms. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { loadModel, type PlmError, type ResponseFormat } from "../../src/index.js";
import { rejection } from "../model/support/engine.js";

const model = await loadModel("models/plm-test.gguf", { threads: 1, variant: "simd" });
const PROMPT = "Once upon a time";
const HOT = { temperature: 1.5, maxTokens: 200 };

const regex = (pattern: string): ResponseFormat => ({ type: "regex", pattern });

test("a text that ends by itself has the form", async () => {
  const patterns = ["yes|no", "\\d{3}-\\d{4}", "(a|bc)+!", "[^a-z]{1,5}\\.", "é😀?", "", "\\n{2}x"];
  for (const pattern of patterns) {
    for (let seed = 0; seed < 5; seed++) {
      const options = { ...HOT, seed, responseFormat: regex(pattern) };
      const { text, finishReason } = await model.generate(PROMPT, options).result();
      assert.is(finishReason, "eos", pattern);
      assert.match(text, new RegExp(`^(?:${pattern})$`, "u"));
    }
  }
});

test("a text that is complete ends without another token", async () => {
  const grammar = 'root ::= "The end."';
  const options = { responseFormat: { type: "grammar", grammar }, ignoreEos: true } as const;
  const { text, tokens, eosToken, finishReason } = await model.generate(PROMPT, options).result();
  assert.is(text, "The end.");
  assert.equal([eosToken, finishReason], [undefined, "eos"]);
  assert.is(model.tokenizer.decode(tokens), text);
});

test("tokens, a stop string or the context cut it short, and say so", async () => {
  const responseFormat = regex("a{500}b");
  const cut = await model.generate(PROMPT, { responseFormat, maxTokens: 7 }).result();
  assert.is(cut.finishReason, "length");
  assert.match(cut.text, /^a+$/);
  const stopped = await model.generate(PROMPT, { responseFormat, stop: "aaaa" }).result();
  assert.equal([stopped.text, stopped.finishReason, stopped.stop], ["", "stop", "aaaa"]);
});

test("biases and penalties still count, and log probabilities are the model's own", async () => {
  const [a, b] = ["a", "b"].map((text) => model.tokenizer.encode(text)[0]);
  const responseFormat = regex("[ab]");
  for (const [banned, text] of [
    [a, "b"],
    [b, "a"],
  ] as const) {
    const options = { responseFormat, logitBias: { [banned]: -Infinity }, logprobs: 3 };
    const result = await model.generate(PROMPT, options).result();
    assert.is(result.text, text);
    const free = await model.generate(PROMPT, { logprobs: 3, maxTokens: 1 }).result();
    assert.equal(result.logprobs![0].top, free.logprobs![0].top);
  }
  const none = { responseFormat, logitBias: { [a]: -Infinity, [b]: -Infinity } };
  const error = (await rejection(model.generate(PROMPT, none).result())) as PlmError;
  assert.match(error.message, /all are banned/);
});

test("many at once, in a worker and on threads: the same texts", async () => {
  const formats = ["[a-z]{5,20}!", "\\d+(\\.\\d\\d)?", "(\\w+ ){3}\\w+\\."].map(regex);
  const ask = (one: typeof model): Promise<string[]> =>
    Promise.all(
      Array.from({ length: 12 }, (_, seed) =>
        one.generate(PROMPT, { ...HOT, seed, responseFormat: formats[seed % 3] }).text(),
      ),
    );
  const expected = await ask(model);
  for (const options of [{ threads: 2 }, { worker: true, threads: 1 }] as const) {
    const other = await loadModel("models/plm-test.gguf", { variant: "simd", ...options });
    assert.equal(await ask(other), expected);
    other.dispose();
  }
});

test("a form that cannot be honoured is refused before anything is evaluated", async () => {
  const refused: [format: ResponseFormat, message: RegExp][] = [
    [regex("(a"), /^responseFormat/],
    [regex("(?=a)b"), /^responseFormat.*lookahead/],
    [{ type: "grammar", grammar: "root := x" }, /^responseFormat\.grammar, line 1: expected `::=`/],
    [
      { type: "grammar", grammar: 'top ::= "a"' },
      /^responseFormat\.grammar: expected a rule root, got none/,
    ],
    [{ type: "grammar", grammar: 'root ::= root "a" | "b"' }, /left-recursive/],
  ];
  for (const [responseFormat, message] of refused) {
    const generation = model.generate(PROMPT, { responseFormat });
    const error = (await rejection(generation.result())) as PlmError;
    assert.is(error.code, "INVALID_ARGUMENT");
    assert.is(error.argument, "responseFormat");
    assert.match(error.message, message);
    assert.is(generation.soFar().timings.prefillMs, 0);
  }
});

test("any text is the default", async () => {
  const options = { maxTokens: 12, temperature: 0 };
  const expected = await model.generate(PROMPT, options).text();
  const text = { ...options, responseFormat: { type: "text" } } as const;
  assert.is(await model.generate(PROMPT, text).text(), expected);
});

test.run();
