/** Embeddings, of OpenAI and Ollama. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { assertClose } from "../support/close.js";
import { ask, type Json, loadSmall, refusal, serve } from "./support/server.js";

const PATH = "/v1/embeddings";

const model = await loadSmall({ batchSize: 16 });
const handler = await serve(model);
test.after(() => model.dispose());

/** The mean of the last hidden states of a text, of length 1. */
async function expectedOf(text: string): Promise<number[]> {
  const tokens = model.tokenizer.encode(text);
  const { hiddenSize } = model.config;
  const session = model.createSession();
  const hidden = await session.evaluate(tokens, { hidden: "all", phase: "prefill" });
  session.dispose();
  const sums = Array.from({ length: hiddenSize }, (_, i) =>
    tokens.reduce((sum, __, row) => sum + hidden[row * hiddenSize + i], 0),
  );
  const length = Math.hypot(...sums);
  return sums.map((sum) => sum / length);
}

const TEXTS = ["Once upon a time", "The cat ".repeat(20)];

test("the normalised mean of the hidden states, as numbers and as base64", async () => {
  const { data, usage, object } = await ask(handler, PATH, { input: TEXTS });
  assert.is(object, "list");
  const counts = TEXTS.map((text) => model.tokenizer.encode(text).length);
  assert.ok(counts[1] > 2 * model.plan.options.batchSize);
  assert.equal(usage, {
    prompt_tokens: counts[0] + counts[1],
    total_tokens: counts[0] + counts[1],
  });
  for (const [i, text] of TEXTS.entries()) {
    assert.equal([data[i].object, data[i].index], ["embedding", i]);
    assertClose(data[i].embedding, await expectedOf(text), { abs: 1e-3, rel: 0 });
    assert.ok(Math.abs(Math.hypot(...data[i].embedding) - 1) < 1e-6);
  }
  const coded = await ask(handler, PATH, { input: TEXTS[0], encoding_format: "base64" });
  const bytes = Uint8Array.from(Buffer.from(coded.data[0].embedding, "base64"));
  assert.equal(Array.from(new Float32Array(bytes.buffer)), data[0].embedding);
});

test("tokens, several inputs, and Ollama's form", async () => {
  const tokens = TEXTS.map((text) => model.tokenizer.encode(text));
  const texts = await ask(handler, PATH, { input: TEXTS });
  const vectors = texts.data.map(({ embedding }: Json) => embedding);
  const byTokens = await ask(handler, PATH, { input: tokens, dimensions: 64 });
  assert.equal(byTokens.data, texts.data);
  const {
    model: name,
    embeddings,
    ...counts
  } = await ask(handler, "/api/embed", {
    ...{ model: "plm:latest", input: TEXTS },
  });
  assert.is(name, "plm");
  assert.equal(embeddings, vectors);
  assert.is(counts.prompt_eval_count, texts.usage.prompt_tokens);
});

test("an input that is too long is refused, or cut for Ollama", async () => {
  const input = "a ".repeat(5000);
  const { code } = await refusal(handler, 400, PATH, { input });
  assert.is(code, "context_length_exceeded");
  const { prompt_eval_count } = await ask(handler, "/api/embed", { model: "plm", input });
  assert.is(prompt_eval_count, model.plan.options.contextLength);
});

test("what does not fit is refused by name", async () => {
  const wrong: readonly [body: object, message: RegExp][] = [
    [{ input: undefined }, /^input: expected a text/],
    [{ input: "" }, /^input: expected at least one token/],
    [{ input: ["a", 3] }, /^input: expected/],
    [{ encoding_format: "hex" }, /^encoding_format: expected "float" or "base64", got "hex"/],
    [{ dimensions: 3 }, /^dimensions: expected 64, got 3/],
  ];
  for (const [fields, message] of wrong) {
    const error = await refusal(handler, 400, PATH, { input: "a", ...fields });
    assert.match(error.message, message);
  }
  assert.is(model.pagesInUse, 0);
});

test.run();
