/** Conformance: the test model's tokens, logits and texts are the same everywhere. */
import { type ModelSource, renderChat } from "../../src/index.js";
import { referenceLogits } from "../model/support/reference-forward.js";
import { type Check, equal, logitsOf, near, PROMPT } from "./subject.js";

/** The text after PROMPT, sampled with seed 7. */
export const SAMPLED_TOKENS: readonly number[] = [
  318, 281, 385, 392, 297, 406, 344, 44, 363, 547, 258, 630, 265, 272, 121, 259,
];
const SAMPLED_TEXT = " She was very happy.\nOne day, they found a small bity s";

/** A text, whether special tokens are parsed in it, and its tokens. */
const TOKENS: readonly [string, boolean, readonly number[]][] = [
  ["", false, []],
  [" the", false, [262]],
  ["the", false, [116, 256]],
  [" then with", false, [596, 336]],
  ["a a\n", false, [97, 258, 10]],
  ["é", false, [195, 169]],
  ["e\u0301", false, [195, 169]],
  ["🚀", false, [240, 159, 154, 128]],
  [" she<|endoftext|>", true, [353, 1023]],
  ["<|endoftext|>", false, [60, 124, 375, 111, 874, 101, 936, 124, 62]],
];

/** The best token at each step, by a forward pass in float64. */
async function greedyTokens(
  source: ModelSource,
  prompt: readonly number[],
  count: number,
): Promise<number[]> {
  const tokens = [...prompt];
  for (let i = 0; i < count; i++) {
    const logits = (await referenceLogits(source, tokens))[tokens.length - 1];
    tokens.push(logits.indexOf(Math.max(...logits)));
  }
  return tokens.slice(prompt.length);
}

/** Text to tokens to logits to text. */
export const ANSWER_CHECKS: Record<string, Check> = {
  "tokenizer: encode": ({ model }) => {
    for (const [text, special, ids] of TOKENS)
      equal(model.tokenizer.encode(text, { special }), ids);
  },
  "tokenizer: decode, at once and token by token": ({ model }) => {
    const ids = model.tokenizer.encode("the café 🚀");
    equal(model.tokenizer.decode(ids), "the café 🚀");
    const decoder = model.tokenizer.createDecoder();
    equal(ids.map((id) => decoder.push(id)).join("") + decoder.end(), "the café 🚀");
  },
  "logits are those of float64": async ({ file, model }) => {
    const expected = await referenceLogits(file, [...model.tokenizer.encode(PROMPT)]);
    near(await logitsOf(model, PROMPT), expected[expected.length - 1]);
  },
  "decode equals prefill": async ({ model }) => {
    near(await logitsOf(model, PROMPT, 1), await logitsOf(model, PROMPT));
  },
  "absorbed attention equals expanded": async ({ file, load }) => {
    const [absorbed, expanded] = await Promise.all([
      load(file, { attention: "absorbed" }),
      load(file, { attention: "expanded" }),
    ]);
    near(await logitsOf(absorbed, PROMPT), await logitsOf(expanded, PROMPT));
  },
  "an f32 cache gives what the default gives": async ({ model, file, load }) => {
    const other = await load(file, { cacheType: "f32" });
    near(await logitsOf(other, PROMPT), await logitsOf(model, PROMPT));
  },
  "greedy generation": async ({ file, model }) => {
    const prompt = [...model.tokenizer.encode("Once upon a time")];
    const { tokens, finishReason } = await model
      .generate("Once upon a time", { temperature: 0, maxTokens: 16 })
      .result();
    equal([tokens, finishReason], [await greedyTokens(file, prompt, 16), "length"]);
  },
  "seeded generation, piece by piece": async ({ model }) => {
    const generation = model.generate(PROMPT, { seed: 7, maxTokens: 16 });
    let text = "";
    for await (const piece of generation) text += piece;
    equal((await generation.result()).tokens, SAMPLED_TOKENS);
    equal(text, SAMPLED_TEXT);
  },
  "chat: the template, and an answer": async ({ model }) => {
    const messages = [
      { role: "user", content: "Tim had a dog." },
      { role: "assistant", content: "It ran." },
      { role: "user", content: "Then it saw a cat." },
    ];
    const text = renderChat(model.tokenizer.chatTemplate ?? "", messages, {
      addGenerationPrompt: true,
    });
    equal(text, "Tim had a dog.\n\nIt ran.\n\nThen it saw a cat.\n\n");
    const answer = await model.chat(messages, { maxTokens: 3, ignoreEos: true, seed: 1 }).result();
    equal(answer.promptTokens, model.tokenizer.encode(text, { special: true }).length);
    equal(answer.tokens.length, 3);
  },
};
