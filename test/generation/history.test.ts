/** Tokens evaluated earlier count like those evaluated now. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { generate } from "../../src/generation/generate.js";
import type { GenerateOptions } from "../../src/generation/options.js";
import { loadModel } from "../../src/index.js";
import { model as path } from "../cli/support/plm.js";
import { assertRejects } from "../model/support/engine.js";
import { seededRandom } from "../support/random.js";
import { MarkovModel, tableDecoder } from "./support/markov.js";

// Exact: a conversation evaluates in smaller pieces than one call does.
const library = await loadModel(path, { precision: "exact" });

const PENALTIES: GenerateOptions[] = [
  { repetitionPenalty: 1.7, repetitionWindow: Infinity },
  { repetitionPenalty: 1.7, repetitionWindow: 9 },
  { repetitionPenalty: 0.6 },
  { presencePenalty: 1, frequencyPenalty: 0.5 },
  { repetitionPenalty: 1.3, presencePenalty: 0.5, frequencyPenalty: 0.25, repetitionWindow: 200 },
];

async function joined(pieces: AsyncIterable<string>): Promise<string> {
  let text = "";
  for await (const piece of pieces) text += piece;
  return text;
}

test("a prompt in two parts gives what it gives in one, under any penalty", async () => {
  const random = seededRandom(3);
  const decoder = tableDecoder(["a", "b", "c", "d", "e", "f"]);
  const table = Array.from({ length: 6 }, () => Array.from({ length: 6 }, () => 3 * random() - 1));
  for (const penalty of PENALTIES) {
    for (const temperature of [0, 1]) {
      const options = { ...penalty, temperature, maxTokens: 20, seed: 4 };
      const prompt = Array.from({ length: 12 }, () => Math.floor(random() * 6));
      const whole = new MarkovModel(table);
      const expected = await generate(whole, decoder, prompt, options).text();
      for (const cut of [1, 5, 11]) {
        const parts = new MarkovModel(table);
        await parts.evaluate([...prompt.slice(0, cut), 0, 1, 2]);
        parts.truncate(cut);
        const { text } = await generate(parts, decoder, prompt.slice(cut), options).result();
        assert.is(text, expected, JSON.stringify([options, cut]));
      }
    }
  }
});

test("a session's history counts, less what was cut off", async () => {
  const prompt = library.tokenizer.encode("the cat and the dog and the cat");
  // Below 1: what was there already is likelier, so that a token left out shows.
  const options = { repetitionPenalty: 0.05, repetitionWindow: Infinity, temperature: 0 };
  const short = { ...options, maxTokens: 12, ignoreEos: true };
  const expected = await library.generate(prompt, short).result();
  const recent = await library.generate(prompt, { ...short, repetitionWindow: 2 }).result();
  assert.not.equal(expected.tokens, recent.tokens);
  const session = library.createSession();
  await session.evaluate(prompt.slice(0, -2));
  await session.evaluate(library.tokenizer.encode("something else"));
  session.truncate(prompt.length - 2);
  const generation = generate(session, library.tokenizer, prompt.slice(-2), short);
  assert.equal((await generation.result()).tokens, expected.tokens);
  session.dispose();
});

test("asked the same three times, a conversation answers as chat does", async () => {
  for (const penalty of PENALTIES) {
    for (const temperature of [0, 0.8]) {
      const options = { ...penalty, temperature, maxTokens: 12, seed: 7, ignoreEos: true };
      const conversation = library.createConversation({ system: "Be kind." });
      for (let turn = 0; turn < 3; turn++) {
        const messages = [...conversation.messages, { role: "user", content: "Tell me more" }];
        const expected = await library.chat(messages, options).text();
        const answer = await joined(conversation.ask("Tell me more", options));
        assert.is(answer, expected, JSON.stringify([options, turn]));
      }
      conversation.dispose();
    }
  }
});

test("an evaluator that does not know its tokens is refused where they count", async () => {
  const decoder = tableDecoder(["a", "b"]);
  const model = (): MarkovModel => {
    const markov = new MarkovModel([
      [1, 2],
      [2, 1],
    ]);
    Object.defineProperty(markov, "tokens", { value: undefined });
    return markov;
  };
  const options = { maxTokens: 3, temperature: 0 };
  const penalty = { ...options, repetitionPenalty: 2 };
  assert.is(await generate(model(), decoder, [0], penalty).text(), "bab");
  const begun = model();
  await begun.evaluate([0, 1]);
  await assertRejects(
    generate(begun, decoder, [0], penalty).text(),
    "INVALID_ARGUMENT",
    "evaluator.tokens: expected the 2 evaluated tokens",
  );
  for (const repetitionWindow of [0, 1]) {
    // The prompt is all that the penalty looks back on.
    const near = { ...penalty, repetitionWindow };
    assert.is(await generate(begun, decoder, [0], near).text(), "bab");
    begun.truncate(2);
  }
  assert.is(await generate(begun, decoder, [0], { ...options, presencePenalty: 1 }).text(), "bab");
});

test.run();
