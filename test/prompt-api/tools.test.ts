/** Constraints and tools of sessions, of a model that says what the test wants. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { textOfCall } from "../../src/generation/tool-calls/call-format.js";
import type { ChatMessage } from "../../src/index.js";
import { createLanguageModel } from "../../src/prompt-api/index.js";
import { formatOf, withHint } from "../../src/prompt-api/response-constraint.js";
import { scriptedModel } from "./support/scripted.js";

const BERN = '{"city": "Bern"}';
const ROME = '{"city": "Rome"}';

test("a tool is called, and the model reads its result", async () => {
  const { model, prompts } = scriptedModel(
    `See. ${textOfCall("weather", BERN)}\n${textOfCall("weather", ROME)}`,
    "Rain in both.",
  );
  const asked: unknown[] = [];
  const session = await createLanguageModel({ model }).create({
    tools: [
      {
        name: "weather",
        description: "Of a city.",
        inputSchema: { type: "object", properties: { city: { type: "string" } } },
        execute: async (input) => {
          asked.push(input);
          return "rain";
        },
      },
    ],
  });
  assert.is(await session.prompt("And?"), "See.Rain in both.");
  assert.equal(asked, [{ city: "Bern" }, { city: "Rome" }]);
  const response = "<tool_response>\nrain\n</tool_response>";
  assert.match(prompts[1], `<user>${response}\n${response}<answer>`);
  assert.match(prompts[0], '"Of a city."');
  session.destroy();
});

test("a tool that fails, fails the prompt", async () => {
  const { model } = scriptedModel(textOfCall("f", "{}"), "Hi.");
  const execute = async (): Promise<string> => {
    throw new RangeError("no");
  };
  const tools = [{ name: "f", description: "", inputSchema: {}, execute }];
  const session = await createLanguageModel({ model }).create({ tools });
  assert.is((await session.prompt("a").catch((error) => error)).message, "no");
  assert.is(session.contextUsage, 0);
  assert.is(await session.prompt("a"), "Hi.");
  session.destroy();
});

test("an abort does not wait for a tool", async () => {
  const { model } = scriptedModel(textOfCall("f", "{}"));
  const controller = new AbortController();
  const execute = (): Promise<never> => {
    controller.abort();
    return new Promise(() => {});
  };
  const tools = [{ name: "f", description: "", inputSchema: {}, execute }];
  const session = await createLanguageModel({ model }).create({ tools });
  const { signal } = controller;
  assert.is(await session.prompt("a", { signal }).catch((error) => error), signal.reason);
  await session.append("b");
  session.destroy();
});

test("constraints as formats, and as hints", () => {
  const schema = { type: "object" };
  const regex = /a+/gu;
  assert.equal(formatOf({ responseConstraint: schema }), { type: "json_schema", schema });
  assert.equal(formatOf({ responseConstraint: regex }), { type: "regex", pattern: "a+" });
  assert.is(formatOf({}), undefined);
  const hinted = (messages: ChatMessage[], responseConstraint: object): unknown =>
    withHint({ messages, prefix: "" }, formatOf({ responseConstraint }), {}).messages.at(-1)
      ?.content;
  const hi = [{ role: "user", content: "Hi" }];
  assert.is(hinted(hi, schema), 'Hi\n\nAnswer with JSON of this JSON Schema: {"type":"object"}');
  assert.match(String(hinted(hi, regex)), "regular expression matches: a+");
  assert.is(hinted([{ role: "assistant", content: "Ho" }], schema), "Ho");
});

test.run();
