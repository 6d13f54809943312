import { test } from "uvu";
import * as assert from "uvu/assert";
import { generate } from "../../src/generation/generate.js";
import type { GenerateOptions } from "../../src/generation/options.js";
import { countingModel, MarkovModel, tableDecoder } from "./support/markov.js";

const LETTERS = ["a", "b", "c", "d", "e", "f", "g", "h"];
const GREEDY: GenerateOptions = { temperature: 0, maxTokens: 100 };

async function pieces(iterable: AsyncIterable<string>): Promise<string[]> {
  const list: string[] = [];
  for await (const piece of iterable) list.push(piece);
  return list;
}

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => assert.unreachable("expected a rejection"),
    (error) => error,
  );
}

test("pieces come one by one, then the result", async () => {
  const model = countingModel(8);
  const generation = generate(model, tableDecoder(LETTERS, [6]), [0, 1], { ...GREEDY, seed: 5 });
  assert.is(model.length, 0, "nothing is evaluated before it is read");
  assert.equal(await pieces(generation), ["c", "d", "e", "f"]);
  const { timings: _, ...result } = await generation.result();
  assert.equal(result, {
    text: "cdef",
    tokens: [2, 3, 4, 5],
    promptTokens: 2,
    cachedTokens: 0,
    finishReason: "eos",
    eosToken: 6,
    seed: 5,
  });
  assert.equal(model.evaluated, [0, 1, 2, 3, 4, 5]);
});

test("text and result read to the end by themselves, and may both be asked for", async () => {
  const generation = generate(countingModel(8), tableDecoder(LETTERS, [4]), [0], GREEDY);
  assert.is(await generation.text(), "bcd");
  assert.is((await generation.result()).finishReason, "eos");
  assert.is(await generation.text(), "bcd");
});

test("the result waits for a reader that is under way", async () => {
  const generation = generate(countingModel(8), tableDecoder(LETTERS, [4]), [0], GREEDY);
  const read = pieces(generation);
  const [list, text] = await Promise.all([read, generation.text()]);
  assert.equal(list, ["b", "c", "d"]);
  assert.is(text, "bcd");
});

test("a second reader is refused", async () => {
  const generation = generate(countingModel(8), tableDecoder(LETTERS), [0], GREEDY);
  await generation.text();
  assert.throws(
    () => generation[Symbol.asyncIterator](),
    (error: { code: string }) => error.code === "INVALID_ARGUMENT",
  );
});

test("maxTokens ends it; the last token is not evaluated", async () => {
  const model = countingModel(8);
  const generation = generate(model, tableDecoder(LETTERS), [0], { ...GREEDY, maxTokens: 3 });
  const { text, finishReason } = await generation.result();
  assert.equal([text, finishReason], ["bcd", "length"]);
  assert.equal(model.evaluated, [0, 1, 2]);
});

test("maxTokens 0 evaluates the prompt and chooses nothing", async () => {
  const model = countingModel(8);
  const options = { ...GREEDY, maxTokens: 0 };
  const { text, tokens, finishReason } = await generate(
    model,
    tableDecoder(LETTERS),
    [0, 1],
    options,
  ).result();
  assert.equal([text, tokens, finishReason], ["", [], "length"]);
  assert.is(model.length, 2);
});

test("a full context ends it with the token that has no room", async () => {
  const model = countingModel(8, 4);
  const { tokens, finishReason } = await generate(model, tableDecoder(LETTERS), [0, 1], {
    temperature: 0,
  }).result();
  assert.equal([tokens, finishReason], [[2, 3, 4], "length"]);
  assert.is(model.length, 4);
});

test("a prompt that fills the context gets one token; a longer one is refused", async () => {
  const decoder = tableDecoder(LETTERS);
  const one = await generate(countingModel(8, 3), decoder, [0, 1, 2], GREEDY).result();
  assert.equal([one.text, one.finishReason], ["d", "length"]);
  const model = countingModel(8, 3);
  const error = await rejection(generate(model, decoder, [0, 1, 2, 3], GREEDY).text());
  assert.is((error as { code: string }).code, "CONTEXT_FULL");
  assert.is(model.length, 0);
});

test("an empty prompt and bad options are refused at once", () => {
  const decoder = tableDecoder(LETTERS);
  const code = (expected: string) => (error: { code: string }) => error.code === expected;
  assert.throws(() => generate(countingModel(8), decoder, [], GREEDY), code("EMPTY_PROMPT"));
  assert.throws(
    () => generate(countingModel(8), decoder, [0], { topP: 2 }),
    code("INVALID_ARGUMENT"),
  );
});

test("a generation continues from the evaluator's tokens", async () => {
  const model = countingModel(8);
  await model.evaluate([7, 0]);
  const { text, promptTokens } = await generate(model, tableDecoder(LETTERS), [3], {
    ...GREEDY,
    maxTokens: 2,
  }).result();
  assert.equal([text, promptTokens], ["ef", 1]);
  assert.equal(model.evaluated, [7, 0, 3, 4]);
});

test("stop strings end it; their tokens count, their text does not", async () => {
  const generation = generate(countingModel(8), tableDecoder(LETTERS), [0], {
    ...GREEDY,
    stop: ["xx", "de"],
  });
  assert.equal(await pieces(generation), ["b", "c"]);
  const { text, tokens, finishReason, stop } = await generation.result();
  assert.equal([text, tokens, finishReason, stop], ["bc", [1, 2, 3, 4], "stop", "de"]);
});

test("withheld text is shown when the generation ends first", async () => {
  const options = { ...GREEDY, stop: "defx" };
  const ended = generate(countingModel(8), tableDecoder(LETTERS, [5]), [0], options);
  assert.equal(await pieces(ended), ["b", "c", "de"]);
  const cut = generate(countingModel(8), tableDecoder(LETTERS), [0], { ...options, maxTokens: 3 });
  assert.equal(await pieces(cut), ["b", "c", "d"]);
});

test("characters in several tokens are one piece", async () => {
  const [first, second] = [Uint8Array.of(0xc3), Uint8Array.of(0xa9)];
  const decoder = tableDecoder(["a", first, second, "d"], [0]);
  assert.equal(await pieces(generate(countingModel(4), decoder, [0], GREEDY)), ["é", "d"]);
});

test("control tokens are hidden, and counted", async () => {
  const decoder = tableDecoder(["a", "<c>", "b", "c", "d"], [4], [1, 4]);
  const options = { ...GREEDY, logprobs: 1 };
  const { text, tokens, logprobs } = await generate(
    countingModel(5),
    decoder,
    [0],
    options,
  ).result();
  assert.equal([text, tokens, logprobs?.length], ["bc", [1, 2, 3], 3]);
  const shown = generate(countingModel(5), decoder, [0], { ...options, special: true });
  assert.equal(await pieces(shown), ["<c>", "b", "c"]);
  const stopped = generate(countingModel(5), decoder, [4], { ...options, stop: "<c>" });
  const { text: before, stop, finishReason } = await stopped.result();
  assert.equal([before, stop, finishReason], ["a", "<c>", "stop"]);
});

test("ignoreEos takes the next best token instead of an end token", async () => {
  const model = new MarkovModel([
    [0, 9, 5, 0],
    [0, 9, 0, 5],
    [0, 9, 0, 5],
    [5, 9, 0, 0],
  ]);
  const decoder = tableDecoder(LETTERS, [1]);
  const options = { ...GREEDY, maxTokens: 5, ignoreEos: true, logitBias: { 0: 1 } };
  const { text, finishReason } = await generate(model, decoder, [0], options).result();
  assert.equal([text, finishReason], ["cdacd", "length"]);
});

test("processors see prompt and text", async () => {
  const model = () => new MarkovModel(Array.from({ length: 4 }, () => [4, 3, 2, 1]));
  const decoder = tableDecoder(LETTERS);
  const options = { ...GREEDY, maxTokens: 4 };
  const presence = generate(model(), decoder, [0], { ...options, presencePenalty: 9 });
  assert.is(await presence.text(), "abcd");
  const repetition = generate(model(), decoder, [0], { ...options, repetitionPenalty: 100 });
  assert.is(await repetition.text(), "bcda");
});

test("log probabilities are the model's own, whatever penalties and temperature do", async () => {
  const model = new MarkovModel([[Math.log(6), Math.log(3), 0]].flatMap((row) => [row, row, row]));
  const decoder = tableDecoder(LETTERS, [2]);
  const options = { maxTokens: 2, temperature: 0, logitBias: { 0: -Infinity }, logprobs: 2 };
  const { logprobs, tokens } = await generate(model, decoder, [0], options).result();
  assert.equal(tokens, [1, 1]);
  assert.is(logprobs?.length, 2);
  const [{ token, logprob, top }] = logprobs!;
  assert.is(token, 1);
  assert.ok(Math.abs(logprob - Math.log(0.3)) < 1e-6);
  assert.equal(
    top.map((entry) => entry.token),
    [0, 1],
  );
});

test("banning every token is an error, not a hang", async () => {
  const options = { ...GREEDY, logitBias: { 0: -Infinity, 1: -Infinity } };
  const error = await rejection(
    generate(countingModel(2), tableDecoder(LETTERS), [0], options).text(),
  );
  assert.match((error as Error).message, /all are banned/);
});

test("same seed, same text; the chosen seed is reported", async () => {
  const flat = new MarkovModel(
    Array.from({ length: 8 }, () => new Array(8).fill(0)),
    100000,
  );
  const decoder = tableDecoder(LETTERS);
  const options = { maxTokens: 50, temperature: 1 };
  const first = generate(flat, decoder, [0], options);
  const { text, seed } = await first.result();
  assert.is(first.seed, seed);
  assert.is(await generate(flat, decoder, [0], { ...options, seed }).text(), text);
  const other = generate(flat, decoder, [0], { ...options, seed: seed + 1 });
  assert.is.not(await other.text(), text);
});

test("timings count the work and not the reader", async () => {
  let nowMs = 0;
  const model = countingModel(8);
  model.onToken = () => {
    nowMs += 10;
  };
  const options = { ...GREEDY, maxTokens: 3 };
  const generation = generate(model, tableDecoder(LETTERS), [0, 1], options, { now: () => nowMs });
  for await (const _ of generation) nowMs += 1000;
  assert.equal((await generation.result()).timings, {
    prefillMs: 20,
    decodeMs: 20,
    prefillTokensPerSecond: 100,
    tokensPerSecond: 100,
  });
});

test.run();
