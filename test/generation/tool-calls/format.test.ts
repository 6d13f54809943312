/** What is put to the model for tools, and the form that its answer must have. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { prepareChat } from "../../../src/generation/chat.js";
import { grammarSourceOf, type ResponseFormat } from "../../../src/generation/response-format.js";
import type {
  ChatGenerateOptions,
  ChatMessage,
  FunctionTool,
  StructuralTagFormat,
} from "../../../src/index.js";
import { assertThrows } from "../../model/support/engine.js";
import { hasShared, readShared } from "../../tokenizer/support/qwen2.js";
import { small } from "../../tokenizer/support/small.js";

const parameters = { type: "object", properties: { city: { type: "string" } } };
const WEATHER: FunctionTool = {
  type: "function",
  function: { name: "weather", description: "The weather of a city.", parameters },
};
const NOW: FunctionTool = { type: "function", function: { name: "now" } };
const HI: ChatMessage[] = [{ role: "user", content: "Hi" }];

/** A template without tools, and one with them, in the manner of Qwen's. */
const PLAIN = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}";
const KNOWING =
  "{% for t in tools or [] %}[{{ t | tojson }}]{% endfor %}" +
  "{% if tools %}as <tool_call>{% endif %}" +
  "{% for m in messages %}<{{ m.role }}>{{ m.content or '' }}{% for c in m.tool_calls or [] %}" +
  "{{ c.function.name }}({{ c.function.arguments | tojson }}){% endfor %}{% endfor %}";

function textOf(messages: ChatMessage[], options: ChatGenerateOptions): string {
  return small.decode(prepareChat(small, messages, options).tokens);
}

/** The format of an answer. */
function formatOf(options: ChatGenerateOptions): ResponseFormat | undefined {
  const chat = prepareChat(small, HI, { chatTemplate: PLAIN, ...options });
  assert.is(chat.mayCall, options.tools !== undefined && options.toolChoice !== "none");
  assert.not("tools" in chat.options);
  const { responseFormat } = chat.options;
  if (responseFormat !== undefined) assert.not.equal(grammarSourceOf(responseFormat), "invalid");
  return responseFormat;
}

const call = (id: string, name: string, args: string): object => ({
  id,
  type: "function",
  function: { name, arguments: args },
});

const CALLED: ChatMessage[] = [
  ...HI,
  {
    role: "assistant",
    content: null,
    tool_calls: [call("call_1", "weather", '{"city": "Bern"}'), call("call_2", "now", "{}")],
  },
  { role: "tool", tool_call_id: "call_1", content: "rain" },
  { role: "tool", tool_call_id: "call_2", content: "noon" },
];

test("a template that knows tools gets them, and arguments as values", () => {
  const text = textOf(CALLED, { chatTemplate: KNOWING, tools: [NOW] });
  const tool = '[{"type": "function", "function": {"name": "now"}}]as <tool_call>';
  const calls = '<assistant>weather({"city": "Bern"})now({})<tool>rain<tool>noon';
  assert.is(text, `${tool}<user>Hi${calls}`);
  assert.is(textOf(CALLED, { chatTemplate: KNOWING }), `<user>Hi${calls}`);
});

test("for any other, tools are in the system message, and calls and results are texts", () => {
  const text = textOf(CALLED, { chatTemplate: PLAIN, tools: [WEATHER, NOW] });
  const line = JSON.stringify({
    name: "weather",
    description: "The weather of a city.",
    parameters,
  });
  assert.ok(text.startsWith(`<system># Tools\n`), text);
  assert.ok(text.includes(`<tools>\n${line}\n{"name":"now"}\n</tools>`), text);
  const rest =
    '<user>Hi<assistant><tool_call>\n{"name": "weather", "arguments": {"city": "Bern"}}\n' +
    '</tool_call>\n<tool_call>\n{"name": "now", "arguments": {}}\n</tool_call>' +
    "<user><tool_response>\nrain\n</tool_response>\n<tool_response>\nnoon\n</tool_response>";
  assert.ok(text.endsWith(rest), text);
  // Without tools too, since the template would print nothing of a call.
  assert.is(textOf(CALLED, { chatTemplate: PLAIN }), rest);
  const system = [{ role: "system", content: "Be kind." }, ...HI];
  const both = textOf(system, { chatTemplate: PLAIN, tools: [NOW] });
  assert.match(both, /^<system>Be kind\.\n\n# Tools\n.*<user>Hi$/s);
  assert.is(
    textOf(system, { chatTemplate: PLAIN, tools: [NOW], toolChoice: "none" }),
    "<system>Be kind.<user>Hi",
  );
});

test("a template with tools in another form, and one that refuses them", () => {
  const other = `${KNOWING.replace("<tool_call>", "<|python|>")}`;
  assert.ok(textOf(HI, { chatTemplate: other, tools: [NOW] }).startsWith("<system># Tools"));
  assert.ok(textOf(CALLED, { chatTemplate: other }).includes('weather("{\\"city\\"'));
  const refusing = `{% if tools %}{{ raise_exception("no") }}{% endif %}${PLAIN}`;
  assert.ok(textOf(HI, { chatTemplate: refusing, tools: [NOW] }).startsWith("<system># Tools"));
});

test("the templates of PLM and Qwen", () => {
  if (!hasShared) return;
  const templates = ["plm-1.8b-instruct", "Qwen-Qwen2.5-7B-Instruct", "Qwen-Qwen3-0.6B"];
  for (const name of templates) {
    const chatTemplate = readShared(`chat-templates/${name}.jinja`);
    const text = textOf(CALLED, { chatTemplate, tools: [WEATHER] });
    assert.ok(text.includes("The weather of a city."), name);
    const call = '<tool_call>\n{"name": "weather", "arguments": {"city": "Bern"}}\n</tool_call>';
    assert.ok(text.includes(call), name);
    assert.ok(text.includes("<tool_response>\nnoon\n</tool_response>"), name);
    assert.is(text.includes("# Tools\n\nYou may call"), !name.startsWith("plm"), name);
  }
});

const BEGIN = '<tool_call>\n{"name": "weather", "arguments": ';
const STRUCTURES = [
  { begin: BEGIN, schema: parameters, end: "}\n</tool_call>" },
  {
    begin: '<tool_call>\n{"name": "now", "arguments": ',
    schema: { type: "object", properties: {}, additionalProperties: false },
    end: "}\n</tool_call>",
  },
];
const TAG = { type: "structural_tag", triggers: ["<tool_call>"] } as const;

test("the form of an answer, by the choice of tools", () => {
  const tools = [WEATHER, NOW];
  assert.is(formatOf({}), undefined);
  assert.equal(formatOf({ responseFormat: { type: "json" } }), { type: "json" });
  assert.is(formatOf({ tools, toolChoice: "none" }), undefined);
  assert.equal(formatOf({ tools }), { ...TAG, structures: STRUCTURES, stopAfterFirst: false });
  const one = { parallelToolCalls: false };
  assert.equal(formatOf({ tools, ...one }), {
    ...TAG,
    structures: STRUCTURES,
    stopAfterFirst: true,
  });
  const required = { ...TAG, separator: "\n", structures: STRUCTURES, atLeastOne: true };
  assert.equal(formatOf({ tools, toolChoice: "required" }), { ...required, stopAfterFirst: false });
  assert.equal(formatOf({ tools, toolChoice: "required", ...one }), {
    ...required,
    stopAfterFirst: true,
  });
  assert.equal(formatOf({ tools, toolChoice: { name: "weather" } }), {
    ...required,
    structures: STRUCTURES.slice(0, 1),
    stopAfterFirst: true,
  });
});

test("beside a JSON format: one call, or the JSON", () => {
  const schema = { type: "object" };
  for (const responseFormat of [{ type: "json" }, { type: "json_schema", schema }] as const) {
    assert.equal(formatOf({ tools: [WEATHER], responseFormat }), {
      type: "structural_tag",
      structures: [STRUCTURES[0], { begin: "", schema, end: "" }],
      triggers: ["<tool_call>", ""],
      atLeastOne: true,
      stopAfterFirst: true,
    });
  }
  const text = { type: "text" } as const;
  assert.is(formatOf({ tools: [NOW], responseFormat: text })?.type, "structural_tag");
  const responseFormat = { type: "regex", pattern: "a" } as const;
  const wrong = { chatTemplate: PLAIN, tools: [NOW], responseFormat };
  assertThrows(() => prepareChat(small, HI, wrong), "INVALID_ARGUMENT", "responseFormat: expected");
  assert.equal(formatOf({ tools: [NOW], toolChoice: "none", responseFormat }), responseFormat);
});

test("arguments are objects unless their schema says what they are", () => {
  const schemaOf = (given: object): unknown => {
    const tool: FunctionTool = { type: "function", function: { name: "f", parameters: given } };
    return (formatOf({ tools: [tool] }) as StructuralTagFormat).structures[0].schema;
  };
  assert.equal(schemaOf({ properties: {} }), { type: "object", properties: {} });
  for (const schema of [{ $ref: "#/$defs/a" }, { anyOf: [{}] }])
    assert.equal(schemaOf(schema), schema);
});

test("wrong tools, choices and calls are refused by name", () => {
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  const fn = (given: unknown): unknown => ({ tools: [{ type: "function", function: given }] });
  const wrong: [options: unknown, message: string][] = [
    [{ tools: {} }, "tools: expected an array, got an object"],
    [{ tools: [{ name: "f" }] }, "tools[0]: expected a tool"],
    [fn(null), "tools[0]: expected a tool"],
    [fn({}), "tools[0].function.name: expected a non-empty string, got nothing"],
    [fn({ name: "f", description: 1 }), "tools[0].function.description: expected a string"],
    [fn({ name: "f", parameters: [] }), "tools[0].function.parameters: expected a JSON Schema"],
    [fn({ name: "f", parameters: circular }), "tools[0].function.parameters: expected"],
    [{ tools: [NOW, NOW] }, 'tools[1].function.name: expected a name of its own, got "now"'],
    [{ toolChoice: "required" }, "toolChoice: expected"],
    [{ tools: [NOW], toolChoice: { name: "then" } }, 'got { name: "then" }'],
    [{ tools: [NOW], toolChoice: "any" }, 'toolChoice: expected "auto", "none"'],
    [{ parallelToolCalls: 1 }, "parallelToolCalls: expected a boolean, got 1"],
  ];
  for (const [options, message] of wrong) {
    const given = { chatTemplate: PLAIN, ...(options as object) };
    assertThrows(() => prepareChat(small, HI, given), "INVALID_ARGUMENT", message);
  }
  const messages = [{ role: "assistant", tool_calls: [{ function: {} }] }];
  const place = "messages[0].tool_calls[0]: expected a call";
  assertThrows(() => textOf(messages, { chatTemplate: PLAIN }), "INVALID_ARGUMENT", place);
});

test("structural tags of wrong shapes are refused", () => {
  const good = { ...TAG, structures: STRUCTURES };
  assert.equal(grammarSourceOf(good), {
    type: "structural_tag",
    text: JSON.stringify({
      structures: STRUCTURES,
      triggers: ["<tool_call>"],
      atLeastOne: false,
      stopAfterFirst: false,
    }),
  });
  const wrong = [
    { triggers: [] },
    { triggers: "<" },
    { triggers: ["other"] },
    { triggers: [1] },
    { triggers: ["<tool_call>", ""] },
    { structures: [] },
    { structures: [{ begin: "<tool_call>", schema: 1, end: "" }] },
    { structures: [{ begin: "<tool_call>", schema: true }] },
    { atLeastOne: "yes" },
    { stopAfterFirst: 1 },
    { separator: 1 },
  ];
  for (const each of wrong) assert.is(grammarSourceOf({ ...good, ...each }), "invalid");
});

test.run();
