/** A chat with tools: text to its reader, calls to its result. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { generate } from "../../../src/generation/generate.js";
import { textOfCall } from "../../../src/generation/tool-calls/call-format.js";
import { type GenerateOptions, loadModel, type TokenDecoder } from "../../../src/index.js";
import { certain, MarkovModel, tableDecoder } from "../support/markov.js";

/** A model that says these pieces, whatever the prompt, and a decoder for it. */
function saying(pieces: readonly string[]): [MarkovModel, TokenDecoder, number[], GenerateOptions] {
  const size = pieces.length + 2;
  const table = Array.from({ length: size }, (_, id) => certain((id + 1) % size, size));
  const decoder = tableDecoder(["", ...pieces, ""], [size - 1]);
  return [new MarkovModel(table), decoder, [0], { temperature: 0 }];
}

const CALL = textOfCall("weather", '{"city": "Bern"}');
const PIECES = ["Let ", "me see.", "\n", ...CALL.match(/.{1,4}/gs)!, "\n", CALL, "\n"];

test("the reader gets the text, the result the calls", async () => {
  const generation = generate(...saying(PIECES), { takesCalls: true });
  const shown: string[] = [];
  for await (const piece of generation) shown.push(piece);
  assert.equal(shown, ["Let", " me see."]);
  const { text, toolCalls, finishReason, tokens } = await generation.result();
  assert.is(text, "Let me see.");
  assert.is(finishReason, "eos");
  assert.is(tokens.length, PIECES.length);
  assert.equal(
    toolCalls!.map((call) => [call.type, call.function]),
    Array(2).fill(["function", { name: "weather", arguments: '{"city": "Bern"}' }]),
  );
  for (const { id } of toolCalls!) assert.match(id, /^call_[A-Za-z0-9]{24}$/);
});

test("what there is so far; a call that is cut short is left out", async () => {
  const [model, decoder, prompt] = saying(PIECES);
  const options = { temperature: 0, maxTokens: 6 };
  const generation = generate(model, decoder, prompt, options, { takesCalls: true });
  const pieces = generation[Symbol.asyncIterator]();
  await pieces.next();
  assert.equal([generation.soFar().text, generation.soFar().toolCalls], ["Let", []]);
  assert.ok((await pieces.next()).value === " me see." && (await pieces.next()).done);
  const { text, toolCalls, finishReason } = await generation.result();
  assert.equal([text, toolCalls, finishReason], ["Let me see.", [], "length"]);
});

test("without tools, a text with tags stays as it is, and there are no calls", async () => {
  const result = await generate(...saying(PIECES)).result();
  assert.is(result.text, PIECES.join(""));
  assert.not("toolCalls" in result);
});

test("Model.chat with tools, in this thread and in a worker", async () => {
  const tools = [{ type: "function", function: { name: "now" } }] as const;
  const messages = [{ role: "user", content: "What time is it?" }];
  for (const worker of [false, true]) {
    const model = await loadModel("models/plm-test.gguf", { worker });
    const options = { maxTokens: 8, temperature: 0, tools };
    const { text, toolCalls } = await model.chat(messages, options).result();
    assert.is(typeof text, "string");
    assert.equal(toolCalls, []);
    const none = await model.chat(messages, { ...options, toolChoice: "none" }).result();
    assert.not("toolCalls" in none);
    if (!worker) assert.is(model.pagesInUse, 0);
    model.dispose();
  }
});

test.run();
