/** Calls are found in a text however it is cut into pieces. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { textOfCall } from "../../../src/generation/tool-calls/call-format.js";
import { createCallId } from "../../../src/generation/tool-calls/call-id.js";
import type { ToolCallEvent } from "../../../src/generation/tool-calls/call-reader.js";
import { ToolCallParser } from "../../../src/generation/tool-calls/parser.js";

/** What a reader of the events has at the end; checks that they make sense on the way. */
function read(pieces: Iterable<string>): {
  text: string;
  calls: [name: string, args: string][];
  incomplete: ToolCallParser["incomplete"];
} {
  let ids = 0;
  const parser = new ToolCallParser({ createId: () => `call_${ids++}` });
  const events: ToolCallEvent[] = [];
  for (const piece of pieces) events.push(...parser.push(piece));
  events.push(...parser.end());
  let text = "";
  const calls: [string, string][] = [];
  let open: { name: string; args: string } | undefined;
  for (const event of events) {
    if (event.type === "text") {
      assert.is.not(event.text, "");
      assert.is(open, undefined);
      text += event.text;
      continue;
    }
    assert.is(event.index, calls.length);
    if (event.type === "start") {
      assert.is(event.id, `call_${event.index}`);
      open = { name: event.name, args: "" };
    } else if (event.type === "arguments") {
      assert.is.not(event.text, "");
      open!.args += event.text;
    } else {
      const { name, args } = open!;
      const expected = { id: `call_${event.index}`, type: "function" };
      assert.equal(event.call, { ...expected, function: { name, arguments: args } });
      calls.push([name, args]);
      open = undefined;
    }
  }
  return { text, calls, incomplete: parser.incomplete };
}

/** Reads a text in one piece, in its characters, and in pieces of three. */
function readInAllWays(text: string): ReturnType<typeof read> {
  const whole = read([text]);
  assert.equal(read(text), whole, "character by character");
  assert.equal(read(text.match(/.{1,3}/gs) ?? []), whole, "three by three");
  return whole;
}

const ARGS = '{"city": "Zürich", "days": [1, {"a": "}"}], "tag": "</tool_call>\\"<tool_call>"}';

test("text, calls with any JSON, and white space between them", () => {
  const call = textOfCall("weather", ARGS);
  const expected: [string, string] = ["weather", ARGS];
  assert.equal(readInAllWays(call).calls, [expected]);
  const { text, calls, incomplete } = readInAllWays(`Let me see. \n${call}\n${call}\n\n`);
  assert.equal([text, calls, incomplete], ["Let me see.", [expected, expected], undefined]);
  assert.is(readInAllWays(`${call}  And then ${call}.`).text, "And then.");
});

test("a text without calls stays as it is", () => {
  for (const text of ["", "Hi", " a <b> c\n\n", "<tool", "<tool_calls>", "a \n<tool_cal", "\n "]) {
    assert.equal(readInAllWays(text), { text, calls: [], incomplete: undefined });
  }
});

test("text is shown as soon as it can be no part of a tag", () => {
  const parser = new ToolCallParser();
  assert.equal(parser.push("a < b"), [{ type: "text", text: "a < b" }]);
  assert.equal(parser.push(" <to"), []);
  assert.equal(parser.push("ol> "), [{ type: "text", text: " <tool>" }]);
  const opening = parser.push('<tool_call>\n{"name": "f", "arguments": {"a');
  assert.is(opening[0].type, "start");
  assert.equal(opening[1], { type: "arguments", index: 0, text: '{"a' });
  assert.equal(parser.push('": 1 '), [{ type: "arguments", index: 0, text: '": 1' }]);
  const closing = parser.push("} }");
  assert.equal(closing[0], { type: "arguments", index: 0, text: " }" });
  assert.is(closing[1].type, "call");
});

test("other spaces, orders and keys, as models without the constraint write them", () => {
  const spaced = '<tool_call> { "name" :"f" , "arguments" :{ "a":1 }  }  </tool_call>';
  assert.equal(readInAllWays(spaced).calls, [["f", '{ "a":1 }']]);
  const extra = '<tool_call>{"name":"f","arguments":{"a":1},"why":{}}</tool_call>';
  assert.equal(readInAllWays(extra).calls, [["f", '{"a":1}']]);
  const turned = '<tool_call>{"arguments": {"a": 1}, "name": "f"}</tool_call>';
  assert.equal(readInAllWays(turned).calls, [["f", '{"a":1}']]);
  const named = '<tool_call>{"name": "\\u0066\\"", "arguments": {}}</tool_call>';
  assert.equal(readInAllWays(named).calls, [['f"', "{}"]]);
  // The tag at the end is missing.
  const two = '<tool_call>{"name":"f","arguments":{}}<tool_call>{"name":"g","arguments":{}}';
  assert.equal(readInAllWays(two).calls, [
    ["f", "{}"],
    ["g", "{}"],
  ]);
});

test("what only begins like a call is text", () => {
  const texts = ["a \n<tool_call>no</tool_call>", '<tool_call>{"name": 1}</tool_call>'];
  for (const text of [...texts, "<tool_call>{</tool_call> b", '<tool_call>{"a" 1}']) {
    assert.equal(readInAllWays(text), { text, calls: [], incomplete: undefined });
  }
  const call = textOfCall("f", "{}");
  const { text, calls } = readInAllWays(`<tool_call> ${call}`);
  assert.equal([text, calls], ["<tool_call>", [["f", "{}"]]]);
});

test("a call that is cut short is neither text nor a call", () => {
  const call = textOfCall("f", '{"a": [1, 2]}');
  const whole = call.indexOf("}}") + 2;
  for (let end = "<tool_call>".length + 1; end < whole; end++) {
    const { text, calls, incomplete } = readInAllWays(`Hi ${call.slice(0, end)}`);
    assert.equal([text, calls], ["Hi", []]);
    assert.ok('{"a": [1, 2]}'.startsWith(incomplete!.arguments), incomplete!.arguments);
  }
  for (let end = whole; end < call.length; end++) {
    const { text, calls, incomplete } = readInAllWays(`Hi ${call.slice(0, end)}`);
    assert.equal([text, calls, incomplete], ["Hi", [["f", '{"a": [1, 2]}']], undefined]);
  }
});

test("ids have 24 random characters", () => {
  const ids = Array.from({ length: 100 }, () => createCallId());
  for (const id of ids) assert.match(id, /^call_[A-Za-z0-9]{24}$/);
  assert.is(new Set(ids).size, 100);
  let byte = 240;
  assert.is(
    createCallId(() => byte++ % 256),
    "call_23456789ABCDEFGHIJKLMNOP",
  );
});

test.run();
