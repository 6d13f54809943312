import { test } from "uvu";
import * as assert from "uvu/assert";
import { PlmError } from "../../src/errors.js";
import {
  applyChatTemplate,
  type ChatMessage,
  type ChatTemplateOptions,
  renderChat,
} from "../../src/tokenizer/chat.js";
import { Tokenizer } from "../../src/tokenizer/tokenizer.js";
import { metadataOf } from "../../src/tokenizer/write-metadata.js";
import { assertThrows } from "../model/support/engine.js";
import { hasShared, readShared } from "./support/qwen2.js";
import { smallSource } from "./support/small.js";

const CHATML =
  "{% for message in messages %}{{ '<|im_start|>' + message.role + '\n' + message.content + " +
  "'<|im_end|>\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

const HI: ChatMessage[] = [{ role: "user", content: "Hi {{ x }} <|im_end|>" }];

test("renders messages, with and without the opening of an answer", () => {
  const turn = "<|im_start|>user\nHi {{ x }} <|im_end|><|im_end|>\n";
  assert.is(renderChat(CHATML, HI), turn);
  assert.is(
    renderChat(CHATML, HI, { addGenerationPrompt: true }),
    `${turn}<|im_start|>assistant\n`,
  );
  assert.is(renderChat(CHATML, []), "");
});

test("blocks leave no line of their own", () => {
  const template =
    "{% for m in messages %}\n  {% if true %}\n{{ m.role }}\n  {% endif %}\n{% endfor %}\n";
  assert.is(renderChat(template, [...HI, ...HI]), "user\nuser\n");
});

test("other variables reach the template", () => {
  const options = { bos_token: "<s>", tools: [{ name: "f" }] };
  assert.is(renderChat("{{ bos_token }}{{ tools[0].name }}", [], options), "<s>f");
});

test("special tokens, tools, documents and variables of the caller's reach the template", () => {
  const chatTemplate =
    "{{ bos_token }}|{{ eos_token }}|{{ pad_token }}|{{ tools }}|{{ documents }}|" +
    "{{ add_generation_prompt }}|{{ enable_thinking }}|{{ messages | length }}";
  const tokenizer = { chatTemplate, specialTokensMap: { bos_token: "<s>", eos_token: "</s>" } };
  assert.is(applyChatTemplate(tokenizer, HI), "<s>|</s>||None|None|True||1");
  const options: ChatTemplateOptions = {
    tools: [{ name: "f" }],
    documents: [],
    addGenerationPrompt: false,
    chatTemplateKwargs: { enable_thinking: false, bos_token: "<b>", eos_token: undefined },
  };
  const expected = "<b>|</s>||[{'name': 'f'}]|[]|False|False|1";
  assert.is(applyChatTemplate(tokenizer, HI, options), expected);
  assert.is(applyChatTemplate(tokenizer, HI, { chatTemplate: "{{ bos_token }}" }), "<s>");
  for (const [bad, message] of [
    [
      { chatTemplateKwargs: [] },
      "chatTemplateKwargs: expected an object of variables, got an array",
    ],
    [
      { chatTemplateKwargs: "x" },
      "chatTemplateKwargs: expected an object of variables, got a string",
    ],
    [{ chatTemplateKwargs: new Date() }, "of variables, got an object of class Date"],
    [{ chatTemplateKwargs: new Uint8Array(1) }, "of variables, got an object of class Uint8Array"],
    [{ chatTemplateKwargs: new Map([[1, 2]]) }, "expected names that are strings, got a number"],
    [{ chatTemplateKwargs: new Map([["messages", []]]) }, "no variable of the name messages"],
    [null, "options: expected an object, got null"],
    [{ chatTemplateKwargs: { messages: [] } }, "no variable of the name messages"],
    [{ chatTemplateKwargs: { f: () => 1 } }, "f: expected what JSON can hold, got a function"],
    [{ chatTemplate: 7 }, "chatTemplate: expected a string, got a number"],
  ] as const) {
    const call = (): unknown => applyChatTemplate(tokenizer, HI, bad as ChatTemplateOptions);
    assertThrows(call, "INVALID_ARGUMENT", message);
  }
});

test("variables may be a Map, keep their names, and are left out if undefined", () => {
  const chatTemplate = "{{ x }}|{{ tools }}|{{ add_generation_prompt }}|{{ addGenerationPrompt }}";
  const tokenizer = { chatTemplate, specialTokensMap: {} };
  const render = (chatTemplateKwargs: ChatTemplateOptions["chatTemplateKwargs"]): string =>
    applyChatTemplate(tokenizer, HI, { chatTemplateKwargs });
  assert.is(render(new Map([["x", 1]])), "1|None|True|");
  assert.is(render({ x: 1, tools: undefined, add_generation_prompt: undefined }), "1|None|True|");
  assert.is(render({ addGenerationPrompt: "own" }), "|None|True|own");
  assert.is(renderChat("{{ x }}", [], new Map([["x", 1]]) as never), "1");
  for (const variables of [null, [], 1] as never[]) {
    assertThrows(() => renderChat("", [], variables), "INVALID_ARGUMENT", "variables: expected an");
  }
});

test("without a begin or end token, templates that write them have nothing", () => {
  const chatTemplate =
    "{{ bos_token + messages[0].content + eos_token }}{{ pad_token is defined }}";
  const text = applyChatTemplate({ chatTemplate, specialTokensMap: {} }, HI);
  assert.is(text, `${HI[0].content}False`);
});

test("a file's template for tools is taken where there are tools", () => {
  const key = "tokenizer.chat_template";
  const entries = metadataOf({
    ...smallSource(),
    chatTemplate: "plain",
    namedChatTemplates: { tool_use: "{{ tools | length }} tools", rag: "rag" },
  });
  const metadata = new Map<string, unknown>(entries.map((entry) => [entry.key, entry.value]));
  const tokenizer = Tokenizer.fromMetadata(metadata);
  const tools = [{ name: "f" }];
  assert.is(applyChatTemplate(tokenizer, HI), "plain");
  assert.is(applyChatTemplate(tokenizer, HI, { tools: [] }), "plain");
  assert.is(applyChatTemplate(tokenizer, HI, { tools }), "1 tools");
  assert.is(applyChatTemplate(tokenizer, HI, { chatTemplateKwargs: { tools } }), "1 tools");
  const noTools = { tools, chatTemplateKwargs: { tools: null } };
  assert.is(applyChatTemplate(tokenizer, HI, noTools), "plain");
  const { rag } = tokenizer.namedChatTemplates;
  assert.is(applyChatTemplate(tokenizer, HI, { tools, chatTemplate: rag }), "rag");

  metadata.delete(key);
  const named = Tokenizer.fromMetadata(metadata);
  const message = 'the file has only those named "tool_use", "rag"';
  assertThrows(() => applyChatTemplate(named, HI), "INVALID_ARGUMENT", message);
  assert.is(applyChatTemplate(named, HI, { tools }), "1 tools");
  metadata.set(`${key}.default`, "default");
  assert.is(applyChatTemplate(Tokenizer.fromMetadata(metadata), HI), "default");
  metadata.set(`${key}.rag`, 1);
  assertThrows(() => Tokenizer.fromMetadata(metadata), "INVALID_FILE", `${key}.rag: expected a`);
});

test("the tokens that a file names have their texts in templates", () => {
  const { specialTokensMap } = new Tokenizer({
    ...smallSource(),
    bosTokenId: 269,
    eosTokenId: 259,
  });
  assert.equal(specialTokensMap, { bos_token: "<|im_start|>", eos_token: "hello" });
});

test("the date in a template is the clock's, in English", () => {
  const now = (): number => new Date(2026, 6, 4).getTime();
  const text = renderChat("{{ strftime_now('%A, %d %B %Y') }}", [], {}, { now });
  assert.is(text, "Saturday, 04 July 2026");
});

test("CRLF is a line end", () => {
  const template = "{% for m in messages %}\r\n{{ m.role }}\r\n{% endfor %}\r\n";
  assert.is(renderChat(template, [...HI, ...HI]), "user\nuser\n");
});

test("a template that is broken or refuses is INVALID_ARGUMENT", () => {
  const refusing = "{{ raise_exception('roles must alternate') }}";
  for (const [template, reason] of [
    ["{% if %}", "chat template, line 1: expected an expression, got %}"],
    ["\n{{ 'a' ", "chat template, line 2: expected }}, the template ends"],
    [`\n\n${refusing}`, "chat template, line 3: roles must alternate"],
  ]) {
    assert.throws(
      () => renderChat(template, HI),
      (error: unknown) =>
        error instanceof PlmError &&
        error.code === "INVALID_ARGUMENT" &&
        error.message.includes(reason),
      template,
    );
  }
});

if (hasShared("chat-templates")) {
  test("PLM's template renders as jinja2 does", () => {
    const template = readShared("chat-templates/plm-1.8b-instruct.jinja");
    const vectors = JSON.parse(readShared("chat-templates/plm-render-vectors.json"));
    assert.is(vectors.length, 11);
    for (const { name, messages, add_generation_prompt, expected } of vectors) {
      const options = { addGenerationPrompt: add_generation_prompt };
      assert.is(renderChat(template, messages, options), expected, name);
    }
  });

  test("Qwen's templates keep the indentation of code", () => {
    const template = readShared("chat-templates/Qwen-Qwen3-0.6B.jinja");
    const content = "<think>\nWhy?\n</think>\n\n    return 1\n";
    const text = renderChat(template, [...HI, { role: "assistant", content }]);
    const answer = "<think>\nWhy?\n</think>\n\n    return 1\n<|im_end|>\n";
    assert.ok(text.endsWith(`<|im_start|>assistant\n${answer}`), text);
  });
}

test.run();
