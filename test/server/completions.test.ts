/** Text completions. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ask, chunks, type Json, loadSmall, refusal, serve } from "./support/server.js";

const PATH = "/v1/completions";
const prompt = "Once upon a time";

const model = await loadSmall();
const handler = await serve(model);
test.after(() => model.dispose());

test("a prompt as text and as tokens, whole and in pieces", async () => {
  const expected = await model.generate(prompt, { maxTokens: 10, seed: 2 }).result();
  for (const each of [prompt, model.tokenizer.encode(prompt)]) {
    const body = { model: "plm", prompt: each, max_tokens: 10, seed: 2 };
    const { object, choices, usage } = await ask(handler, PATH, body);
    assert.is(object, "text_completion");
    const text = expected.text;
    assert.equal(choices, [{ index: 0, text, logprobs: null, finish_reason: "length" }]);
    assert.is(usage.completion_tokens, 10);
    const list = await chunks(handler, PATH, body);
    assert.is(list.map((chunk) => chunk.choices[0].text).join(""), text);
    assert.is(list.at(-1).choices[0].finish_reason, "length");
  }
});

test("several prompts, several answers to each, and echo", async () => {
  const prompts = [prompt, "The cat"];
  const body = { prompt: prompts, max_tokens: 4, seed: 1, n: 2, echo: true };
  const { choices, usage } = await ask(handler, PATH, body);
  const expected = await Promise.all(
    prompts.flatMap((each) =>
      [1, 2].map(
        async (seed) => each + (await model.generate(each, { maxTokens: 4, seed }).text()),
      ),
    ),
  );
  assert.equal(
    choices.map(({ text }: Json) => text),
    expected,
  );
  assert.equal(
    choices.map(({ index }: Json) => index),
    [0, 1, 2, 3],
  );
  const counts = prompts.map((each) => model.tokenizer.encode(each).length);
  assert.is(usage.prompt_tokens, counts[0] + counts[1]);
  const list = await chunks(handler, PATH, body);
  const texts = expected.map((_, index) =>
    list
      .filter((chunk) => chunk.choices[0].index === index)
      .map((chunk) => chunk.choices[0].text)
      .join(""),
  );
  assert.equal(texts, expected);
});

test("log probabilities in the older shape", async () => {
  const body = { prompt, max_tokens: 5, temperature: 0, logprobs: 2 };
  const { choices } = await ask(handler, PATH, body);
  const { tokens, token_logprobs, top_logprobs, text_offset } = choices[0].logprobs;
  assert.is(tokens.join(""), choices[0].text);
  tokens.forEach((token: string, i: number) => {
    assert.is(choices[0].text.slice(text_offset[i]).startsWith(token), true);
    assert.is(top_logprobs[i][token], token_logprobs[i]);
    assert.is(Object.keys(top_logprobs[i]).length, 2);
  });
  const list = await chunks(handler, PATH, body);
  const parts = list.map((chunk) => chunk.choices[0].logprobs).filter(Boolean);
  assert.equal(
    parts.flatMap((part) => part.tokens),
    tokens,
  );
  assert.equal(
    parts.flatMap((part) => part.text_offset),
    text_offset,
  );
});

test("what does not fit is refused by name", async () => {
  const wrong: readonly [body: object, param: string | null, message: RegExp][] = [
    [{ prompt: undefined }, "prompt", /^prompt: expected a text, token ids/],
    [{ prompt: [] }, "prompt", /^prompt: expected/],
    [{ prompt: {} }, "prompt", /^prompt: expected/],
    [{ prompt: [1, "a"] }, "prompt", /^prompt: expected/],
    [{ prompt: [1024] }, "prompt", /^prompt: expected .* token ids in \[0, 1024\)/],
    [{ prompt: [["a"]] }, "prompt", /^prompt: expected/],
    [{ prompt: "" }, "prompt", /^prompt: expected at least one token, got none/],
    [{ suffix: "x" }, "suffix", /^suffix: expected "", got "x"/],
    [{ echo: true, logprobs: 1 }, "echo", /^echo: expected no logprobs beside it/],
    [{ logprobs: 21 }, "logprobs", /^logprobs: expected an integer from 0 to 20/],
    [{ messages: [] }, "messages", /^messages: expected a field that is known/],
  ];
  for (const [fields, param, message] of wrong) {
    const error = await refusal(handler, 400, PATH, { prompt, ...fields });
    assert.match(error.message, message);
    assert.is(error.param, param);
  }
});

test.run();
