/** Conformance: the small model's tokens, logits and texts are the golden ones. */
import { renderChat } from "../../src/index.js";
import { type Check, equal, logitsOf, near, PROMPT } from "./subject.js";

/** Every 32nd logit of the small model after PROMPT, by a forward pass in float64. */
const GOLDEN_LOGITS: readonly number[] = [
  2.98214, 0.78564, -0.98584, -0.3505, 1.14564, 0.08087, 0.37867, 1.40106, -0.00639,
];

/** After "in", the best token each time, by the same forward pass; the second best is 0.13 away. */
const GREEDY_TOKENS: readonly number[] = [1, 0, 267, ...new Array<number>(13).fill(263)];

/** After "in", drawn with seed 7. */
export const SAMPLED_TOKENS: readonly number[] = [
  282, 263, 259, 261, 278, 259, 258, 277, 277, 263, 263, 278, 263, 258, 278, 261,
];
const SAMPLED_TEXT = " had of a and it a the they they of of it of the it and";

/** A text, whether special tokens are parsed in it, and its tokens. */
const TOKENS: readonly [string, boolean, readonly number[]][] = [
  ["", false, []],
  [" the", false, [258]],
  ["the", false, [116, 104, 101]],
  [" then with", false, [258, 110, 271]],
  ["a a\n", false, [97, 259, 10]],
  ["é", false, [195, 169]],
  ["e\u0301", false, [195, 169]],
  ["🚀", false, [240, 159, 154, 128]],
  [" she<|im_end|>", true, [274, 287]],
  ["<|im_end|>", false, [...new TextEncoder().encode("<|im_end|>")]],
];

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
  "logits are the golden ones": async ({ model }) => {
    const logits = await logitsOf(model, PROMPT);
    near(
      logits.filter((_, id) => id % 32 === 0),
      GOLDEN_LOGITS,
    );
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
  "greedy generation": async ({ model }) => {
    const { tokens, finishReason } = await model
      .generate("in", { temperature: 0, maxTokens: 16 })
      .result();
    equal([tokens, finishReason], [GREEDY_TOKENS, "length"]);
  },
  "seeded generation, piece by piece": async ({ model }) => {
    const generation = model.generate("in", { seed: 7, maxTokens: 16 });
    let text = "";
    for await (const piece of generation) text += piece;
    equal((await generation.result()).tokens, SAMPLED_TOKENS);
    equal(text, SAMPLED_TEXT);
  },
  "chat: the template, and an answer": async ({ model }) => {
    const messages = [{ role: "user", content: "Hi" }];
    const text = renderChat(model.tokenizer.chatTemplate ?? "", messages, {
      addGenerationPrompt: true,
    });
    const system = "<|im_start|>system\nYou are a helpful assistant<|im_end|>\n";
    const turns = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n";
    equal(text, system + turns);
    const answer = await model.chat(messages, { maxTokens: 3, ignoreEos: true, seed: 1 }).result();
    equal(answer.promptTokens, model.tokenizer.encode(text, { special: true }).length);
    equal(answer.tokens.length, 3);
  },
};
