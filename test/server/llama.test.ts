/** What llama-server has besides OpenAI's routes. */
import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { VERSION } from "../../src/platform/thread-message.js";
import { ask, loadSmall, refusal, request, serve } from "./support/server.js";

const model = await loadSmall();
const handler = await serve(model, { modelName: "small" });
test.after(() => model.dispose());

test("the version is the package's", () => {
  assert.is(VERSION, JSON.parse(readFileSync("package.json", "utf8")).version);
});

test("health", async () => {
  for (const path of ["/health", "/v1/health"]) {
    assert.equal(await ask(handler, path), { status: "ok" });
  }
});

test("models", async () => {
  const { object, data } = await ask(handler, "/v1/models");
  assert.equal([object, data.length], ["list", 1]);
  assert.equal([data[0].id, data[0].object, data[0].meta.n_ctx], ["small", "model", 256]);
  assert.equal(await ask(handler, "/v1/models/small"), data[0]);
  await refusal(handler, 404, "/v1/models/other");
  await refusal(handler, 404, "/v1/models/..%2f..%2fetc%2fpasswd");
});

test("tokens of texts, texts of tokens, and pieces that are no characters", async () => {
  const content = "Once <|im_end|>é";
  const { tokens } = await ask(handler, "/tokenize", { content });
  assert.equal(tokens, model.tokenizer.encode(content, { special: true }));
  assert.equal(await ask(handler, "/detokenize", { tokens }), { content });
  const plain = await ask(handler, "/tokenize", { content, parse_special: false });
  assert.equal(plain.tokens, model.tokenizer.encode(content));
  const pieces = await ask(handler, "/tokenize", { content: "a é", with_pieces: true });
  const bytes = pieces.tokens.flatMap(({ piece }: { piece: string | number[] }) =>
    typeof piece === "string" ? [...Buffer.from(piece)] : piece,
  );
  assert.equal(bytes, [...Buffer.from("a é")]);
  assert.ok(pieces.tokens.some(({ piece }: { piece: unknown }) => Array.isArray(piece)));
  assert.equal(await ask(handler, "/tokenize", {}), { tokens: [] });
  await refusal(handler, 400, "/tokenize", { content: 3 });
  const { message } = await refusal(handler, 400, "/detokenize", { tokens: [99999] });
  assert.match(message, /^token: expected an integer, 0 to 1023, got 99999/);
});

test("the text that a chat evaluates", async () => {
  const messages = [{ role: "user", content: "Hi" }];
  assert.equal(await ask(handler, "/apply-template", { messages }), { prompt: "Hi\n\n" });
  const tools = [{ type: "function", function: { name: "weather_of" } }];
  const { prompt } = await ask(handler, "/apply-template", { messages, tools });
  assert.match(prompt, /weather_of/);
  const none = await ask(handler, "/apply-template", { messages, tools, tool_choice: "none" });
  assert.is(none.prompt, "Hi\n\n");
});

test("props", async () => {
  const props = await ask(handler, "/props");
  const { n_ctx, params } = props.default_generation_settings;
  assert.equal([n_ctx, params.temperature, params.top_k], [256, 0.8, 40]);
  assert.equal([props.total_slots, props.model_alias], [16, "small"]);
  assert.is(props.chat_template, model.tokenizer.chatTemplate);
});

test("metrics count what was done", async () => {
  const own = await serve(model);
  const read = async (): Promise<Record<string, number>> => {
    const response = await own(request("/metrics"));
    assert.match(response.headers.get("content-type")!, /^text\/plain; version=0\.0\.4/);
    const lines = (await response.text()).trimEnd().split("\n");
    const values = lines.filter((line) => !line.startsWith("# "));
    for (const line of values) assert.match(line, /^[a-z_:]+(\{[^}]*\})? \d+(\.\d+)?(e[-+]\d+)?$/);
    return Object.fromEntries(
      values.map((line) => [line.replace(/ \S+$/, ""), Number(line.split(" ").at(-1))]),
    );
  };
  assert.is((await read())["llamacpp:tokens_predicted_total"], 0);
  await ask(own, "/v1/completions", { prompt: "Once upon", max_tokens: 7, ignore_eos: true });
  const metrics = await read();
  assert.is(metrics["llamacpp:tokens_predicted_total"], 7);
  assert.is(metrics["llamacpp:prompt_tokens_total"], 2);
  assert.is(metrics["llamacpp:n_tokens_max"], 9);
  assert.ok(metrics["llamacpp:predicted_tokens_seconds"] > 0);
  assert.is(metrics["llamacpp:requests_processing"], 0);
  assert.is(metrics["plm:pages"], model.plan.pages.count);
  assert.is(metrics['plm:requests_total{route="/v1/completions",status="200"}'], 1);
});

test("unknown paths and methods", async () => {
  await refusal(handler, 404, "/");
  await refusal(handler, 404, "/v1");
  await refusal(handler, 404, "/v1/chat/completions/x", {});
  const response = await handler(request("/v1/completions"));
  assert.equal([response.status, response.headers.get("allow")], [405, "POST"]);
  await refusal(handler, 405, "/health", {});
});

test.run();
