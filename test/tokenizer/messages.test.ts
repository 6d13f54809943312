import { runInNewContext } from "node:vm";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { ChatMessage } from "../../src/tokenizer/chat.js";
import { checkMessages } from "../../src/tokenizer/messages.js";
import { assertThrows } from "../model/support/engine.js";

const CALLS = [{ type: "function", function: { name: "f", arguments: {} } }];

test("content is a text, parts of text, or null beside tool calls", () => {
  const parts = [
    { type: "text", text: "a" },
    { type: "text", text: "b\n" },
  ] as const;
  const messages: ChatMessage[] = [
    { role: "system", content: "" },
    { role: "user", content: parts, name: "Ada" },
    { role: "user", content: [] },
    { role: "assistant", content: null, tool_calls: CALLS },
    { role: "assistant", tool_calls: CALLS },
  ];
  assert.equal(checkMessages(messages), [
    { role: "system", content: "" },
    { role: "user", content: "a\nb\n", name: "Ada" },
    { role: "user", content: "" },
    { role: "assistant", content: null, tool_calls: CALLS },
    { role: "assistant", tool_calls: CALLS },
  ]);
  assert.is(messages[1].content, parts, "the caller's messages stay as they are");
});

test("a message may be of a class with getters, and each is read once", () => {
  let reads = 0;
  class Message {
    get role(): string {
      return reads++ === 0 ? "assistant" : "user";
    }
    get content(): null {
      return null;
    }
    get tool_calls(): object[] {
      return CALLS;
    }
  }
  const messages = [new Message() as unknown as ChatMessage, Object.create({ role: "user" })];
  messages[1].content = "a";
  assert.equal(checkMessages(messages), [
    { role: "assistant", content: null, tool_calls: CALLS },
    { role: "user", content: "a" },
  ]);
  assert.is(reads, 1);
});

test("messages of another realm are messages", () => {
  const foreign = runInNewContext("[{ role: 'user', content: [{ type: 'text', text: 'x' }] }]");
  assert.is(checkMessages(foreign)[0].content, "x");
});

test("anything else is refused, by message and part", () => {
  const text = { type: "text", text: "a" };
  const user = (content: unknown): unknown => [
    { role: "user", content: "a" },
    { role: "user", content },
  ];
  for (const [messages, expected] of [
    ["hi", "messages: expected an array, got a string"],
    [undefined, "messages: expected an array, got nothing"],
    [["hi"], "messages[0]: expected an object, got a string"],
    [[null], "messages[0]: expected an object, got null"],
    [new Array(1), "messages[0]: expected an object, got nothing"],
    [[{ content: "a" }], "messages[0].role: expected a string, got nothing"],
    [[{ role: 1, content: "a" }], "messages[0].role: expected a string, got a number"],
    [user(7), "messages[1].content: expected a string, or an array of text parts, got a number"],
    [
      user({ a: 1 }),
      "messages[1].content: expected a string, or an array of text parts, got an object of class",
    ],
    [user(null), "messages[1].content: expected a string, or an array of text parts, got null"],
    [
      user(undefined),
      "messages[1].content: expected a string, or an array of text parts, got nothing",
    ],
    [
      [{ role: "assistant", content: null, tool_calls: [] }],
      "messages[0].content: expected a string",
    ],
    [user(["a"]), 'messages[1].content[0]: expected a part { type: "text", text }, got a string'],
    [
      user([text, { type: "image_url", image_url: {} }]),
      'messages[1].content[1]: expected a part { type: "text", text }, got type "image_url"',
    ],
    [user([{}]), 'messages[1].content[0]: expected a part { type: "text", text }, got no type'],
    [user([text, { type: "text" }]), "messages[1].content[1].text: expected a string, got nothing"],
  ] as const) {
    const call = (): unknown => checkMessages(messages as unknown as ChatMessage[]);
    assertThrows(call, "INVALID_ARGUMENT", expected);
  }
});

test.run();
