/** Responses. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Fields } from "../../src/server/fields.js";
import { readInput } from "../../src/server/openai/responses/input.js";
import { ResponseWriter } from "../../src/server/openai/responses/writer.js";
import { ask, type Json, loadSmall, refusal, serve, streamed } from "./support/server.js";

const PATH = "/v1/responses";
const input = "Once upon a time";

const model = await loadSmall();
const handler = await serve(model);
test.after(() => model.dispose());

test("a response is the library's answer", async () => {
  const messages = [{ role: "user", content: input }];
  const expected = await model.chat(messages, { maxTokens: 9, seed: 2 }).result();
  const response = await ask(handler, PATH, { input, max_output_tokens: 9, seed: 2 });
  assert.match(response.id, /^resp_/);
  const { object, status, incomplete_details, error, store, output, usage } = response;
  assert.equal([object, status, error, store], ["response", "incomplete", null, false]);
  assert.equal(incomplete_details, { reason: "max_output_tokens" });
  const { id, ...message } = output[0];
  assert.match(id, /^msg_/);
  assert.equal(message, {
    ...{ type: "message", role: "assistant", status: "incomplete" },
    content: [{ type: "output_text", text: expected.text, annotations: [], logprobs: [] }],
  });
  assert.is(output.length, 1);
  assert.equal(usage, {
    input_tokens: expected.promptTokens,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: 9,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: expected.promptTokens + 9,
  });
});

/** The events of a stream, whose names must be their types. */
async function eventsOf(body: object): Promise<Json[]> {
  const frames = (await streamed(handler, PATH, body)).split("\n\n");
  assert.is(frames.pop(), "");
  return frames.map((frame) => {
    const [, name, json] = /^event: (\S+)\ndata: (.*)$/.exec(frame)!;
    const event = JSON.parse(json);
    assert.is(event.type, name);
    return event;
  });
}

test("the events of a stream", async () => {
  const body = { input, max_output_tokens: 6, seed: 2, top_logprobs: 1 };
  const whole = await ask(handler, PATH, body);
  const events = await eventsOf(body);
  assert.equal(
    events.map(({ sequence_number }) => sequence_number),
    events.map((_, i) => i),
  );
  const types = events.map(({ type }) => type);
  const deltas = types.filter((type) => type === "response.output_text.delta");
  assert.equal(types, [
    ...["response.created", "response.in_progress"],
    ...["response.output_item.added", "response.content_part.added"],
    ...deltas,
    ...["response.output_text.done", "response.content_part.done", "response.output_item.done"],
    "response.incomplete",
  ]);
  assert.ok(deltas.length > 2);
  assert.equal([events[0].response.status, events[0].response.output], ["in_progress", []]);
  const text = events.map(({ delta }) => delta ?? "").join("");
  const [{ content }] = whole.output;
  assert.is(text, content[0].text);
  assert.is(content[0].logprobs.length, 6);
  const last = events.at(-1).response;
  assert.equal(last.output[0].content, content);
  assert.is(last.id, events[0].response.id);
  assert.is(new Set(events.flatMap(({ item_id }) => item_id ?? [])).size, 1);
});

test("input: texts, messages, calls and their outputs", () => {
  const read = (body: object) => readInput(new Fields(body));
  assert.equal(read({ instructions: "Be brief.", input: "Hi" }), [
    { role: "system", content: "Be brief." },
    { role: "user", content: "Hi" },
  ]);
  const call = (id: string) => ({ type: "function_call", call_id: id, name: "f", arguments: "{}" });
  const called = (id: string) => {
    return { id, type: "function", function: { name: "f", arguments: "{}" } };
  };
  const items = [
    { role: "developer", content: "Be brief." },
    { type: "message", role: "user", content: [{ type: "input_text", text: "Hi" }] },
    { id: "msg_1", type: "message", role: "assistant", status: "completed", content: "Hm" },
    call("a"),
    call("b"),
    { type: "function_call_output", call_id: "a", output: "1" },
  ];
  assert.equal(read({ input: items }), [
    { role: "system", content: "Be brief." },
    { role: "user", content: [{ type: "text", text: "Hi" }] },
    { role: "assistant", content: "Hm", tool_calls: [called("a"), called("b")] },
    { role: "tool", tool_call_id: "a", content: "1" },
  ]);
});

test("calls are items of their own, between texts", () => {
  const writer = new ResponseWriter(model.tokenizer, undefined);
  const fn = { name: "f", arguments: '{"a":1}' };
  const events = [
    ...writer.text("Hm", []),
    ...writer.call({ type: "start", index: 0, id: "call_1", name: "f" }),
    ...writer.call({ type: "arguments", index: 0, text: '{"a"' }),
    ...writer.call({ type: "arguments", index: 0, text: ":1}" }),
    ...writer.call({
      type: "call",
      index: 0,
      call: { id: "call_1", type: "function", function: fn },
    }),
    ...writer.finish("completed"),
  ];
  const types = events.map(({ type }) => type.replace("response.", ""));
  assert.equal(types, [
    ...["output_item.added", "content_part.added", "output_text.delta"],
    ...["output_text.done", "content_part.done", "output_item.done", "output_item.added"],
    ...["function_call_arguments.delta", "function_call_arguments.delta"],
    ...["function_call_arguments.done", "output_item.done"],
  ]);
  const [message, item] = writer.output as Json[];
  assert.equal([message.status, message.content[0].text], ["completed", "Hm"]);
  const { id, ...rest } = item;
  assert.match(id, /^fc_/);
  const expected = { type: "function_call", call_id: "call_1", ...fn, status: "completed" };
  assert.equal(rest, expected);
  assert.equal(
    events.flatMap(({ output_index }) => output_index ?? []),
    [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1],
  );
});

test("what does not fit is refused by name", async () => {
  const wrong: readonly [body: object, message: RegExp][] = [
    [{ input: undefined }, /^input: expected a text or an array/],
    [{ input: [3] }, /^input\[0\]: expected a JSON object/],
    [
      { input: [{ role: "user", content: [{ type: "input_image" }] }] },
      /^input\[0\]\.content\[0\]/,
    ],
    [{ input: [{ type: "reasoning" }] }, /^input\[0\]\.type: expected "message"/],
    [{ previous_response_id: "resp_1" }, /^previous_response_id: expected no such field/],
    [{ conversation: "c" }, /^conversation: expected no such field/],
    [{ truncation: "auto" }, /^truncation: expected "disabled"/],
    [{ background: true }, /^background: expected false/],
    [{ reasoning: { effort: "high" } }, /^reasoning: expected/],
    [{ include: ["x"] }, /^include: expected nothing but message\.output_text\.logprobs/],
    [{ text: { format: { type: "xml" } } }, /^text\.format\.type: expected/],
    [{ tools: [{ type: "web_search" }] }, /^tools\[0\]: expected a function/],
    [{ max_output_tokens: "x" }, /^max_output_tokens: expected/],
    [{ max_tokens: 3 }, /^max_tokens: expected a field that is known/],
  ];
  for (const [fields, message] of wrong) {
    const error = await refusal(handler, 400, PATH, { input, ...fields });
    assert.match(error.message, message);
  }
});

test.run();
