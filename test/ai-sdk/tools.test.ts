/** Tools, calls and other parts of prompts in the AI SDK's language model. */
import type { LanguageModelV4CallOptions } from "@ai-sdk/provider";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { textOfCall } from "../../src/generation/tool-calls/call-format.js";
import { modelOf, PROMPT, partsOf } from "./support/calls.js";
import { speaker } from "./support/speaker.js";

const TOOLS: LanguageModelV4CallOptions["tools"] = [
  {
    type: "function",
    name: "weather",
    description: "Of a city.",
    inputSchema: { type: "object", properties: { city: { type: "string" } } },
  },
];
const ARGS = '{"city": "Bern"}';
const CALL = textOfCall("weather", ARGS);

test("calls of tools, in a stream and in a result", async () => {
  const answer = `See: ${CALL}\n${CALL} Done.`;
  const options = { prompt: PROMPT, tools: TOOLS };
  const said = speaker(answer, answer);
  const parts = await partsOf(modelOf(said), options);
  const call = { type: "tool-call", toolCallId: "call", toolName: "weather", input: ARGS };
  const types = parts.map(({ type }) => type);
  const ofCall = ["tool-input-start", "tool-input-delta", "tool-input-end", "tool-call"];
  assert.equal(
    types.filter((type, i) => type !== types[i - 1]),
    [
      ...["stream-start", "response-metadata", "text-start", "text-delta", "text-end"],
      ...[...ofCall, ...ofCall, "text-start", "text-delta", "text-end", "finish"],
    ],
  );
  assert.equal(
    parts.filter(({ type }) => type === "tool-call"),
    [call, call],
  );
  assert.equal(
    parts.find(({ type }) => type === "tool-input-start"),
    { type: "tool-input-start", id: "call", toolName: "weather" },
  );
  const deltas = parts.flatMap((part) => (part.type === "tool-input-delta" ? [part.delta] : []));
  assert.is(deltas.join(""), ARGS + ARGS);
  const { content, finishReason } = await modelOf(said).doGenerate(options);
  assert.equal(
    content.map((part) => (part.type === "text" ? part.text : part.type)),
    ["See:", "tool-call", "tool-call", "Done."],
  );
  assert.is(finishReason.unified, "tool-calls");
  assert.is(said.asked[0].options.responseFormat?.type, "structural_tag");
  assert.match(said.asked[0].prompt, /^<system>Be kind\.\n\n# Tools\n.*"Of a city\."/s);
  // One that is cut short.
  const cut = await partsOf(modelOf(speaker(CALL)), { ...options, maxOutputTokens: 12 });
  assert.equal(
    cut.slice(-2).map(({ type }) => type),
    ["tool-input-end", "finish"],
  );
  assert.not(cut.some(({ type }) => type === "tool-call" || type === "text-delta"));
});

test("the choice of tools", async () => {
  const choices: [LanguageModelV4CallOptions["toolChoice"], boolean | undefined][] = [
    [{ type: "auto" }, undefined],
    [{ type: "required" }, true],
    [{ type: "tool", toolName: "weather" }, true],
  ];
  for (const [toolChoice, atLeastOne] of choices) {
    const said = speaker(CALL);
    await modelOf(said).doGenerate({ prompt: PROMPT, tools: TOOLS, toolChoice });
    assert.is(
      (said.asked[0].options.responseFormat as { atLeastOne?: boolean }).atLeastOne,
      atLeastOne,
    );
  }
  const said = speaker(CALL);
  const none = { prompt: PROMPT, tools: TOOLS, toolChoice: { type: "none" } as const };
  const { content } = await modelOf(said).doGenerate(none);
  assert.equal(content, [{ type: "text", text: CALL }]);
  assert.is(said.asked[0].prompt, "<system>Be kind.<user>Hi<answer>");
});

test("calls and results of earlier steps", async () => {
  const said = speaker("Rain.");
  const output = (value: unknown): never => value as never;
  const results = [
    output({ type: "json", value: { sky: "grey" } }),
    output({ type: "text", value: "wet" }),
    output({ type: "error-text", value: "no" }),
    output({ type: "execution-denied" }),
    output({ type: "content", value: [{ type: "text", text: "mud" }] }),
  ];
  const { warnings } = await modelOf(said).doGenerate({
    prompt: [
      {
        role: "assistant",
        content: [
          { type: "reasoning", text: "Hm." },
          { type: "text", text: "See:" },
          { type: "tool-call", toolCallId: "1", toolName: "weather", input: { city: "Bern" } },
        ],
      },
      {
        role: "tool",
        content: results.map((each) => ({
          type: "tool-result",
          toolCallId: "1",
          toolName: "weather",
          output: each,
        })),
      },
    ],
  });
  const texts = ['{"sky":"grey"}', "wet", "no", "The call was denied.", "mud"];
  assert.is(
    said.asked[0].prompt,
    `<assistant>See:\n${textOfCall("weather", '{"city":"Bern"}')}<user>` +
      `${texts.map((text) => `<tool_response>\n${text}\n</tool_response>`).join("\n")}<answer>`,
  );
  assert.equal(warnings, [{ type: "unsupported", feature: "reasoning parts of the prompt" }]);
});

test("files are refused as the AI SDK's providers do", async () => {
  const data = { type: "data", data: "AAAA" } as const;
  const content = [{ type: "file", mediaType: "image/png", data }] as const;
  for (const call of ["doGenerate", "doStream"] as const) {
    const prompt = [{ role: "user" as const, content: [...content] }];
    const error = await modelOf(speaker())
      [call]({ prompt })
      .then(
        () => undefined,
        (reason: unknown) => reason as Record<symbol | string, unknown>,
      );
    assert.is(error?.functionality, "file part media type image/png");
    assert.is(error?.[Symbol.for("vercel.ai.error.AI_UnsupportedFunctionalityError")], true);
  }
});

test.run();
