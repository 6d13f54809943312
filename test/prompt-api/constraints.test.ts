/** Answers that follow a RegExp or a JSON Schema, of a model with random weights. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { createRandomModel, DEFAULT_RANDOM_MODEL } from "../../src/cli/random-model.js";
import { loadModel } from "../../src/index.js";
import { createLanguageModel } from "../../src/prompt-api/index.js";
import { assertName } from "./support/exceptions.js";

const random = createRandomModel({ ...DEFAULT_RANDOM_MODEL, layers: 2, context: 512 });
const LanguageModel = createLanguageModel({ model: await loadModel(random) });

test("a RegExp", async () => {
  const session = await LanguageModel.create({ samplingMode: "most-creative" });
  const responseConstraint = /(sun|rain), \d{1,2}/u;
  for (let i = 0; i < 5; i++) {
    assert.match(await session.prompt("Now?", { responseConstraint }), /^(sun|rain), \d{1,2}$/);
  }
  const options = { responseConstraint, omitResponseConstraintInput: true };
  let text = "";
  for await (const piece of session.promptStreaming("Now?", options)) text += piece;
  assert.match(text, /^(sun|rain), \d{1,2}$/);
  session.destroy();
});

test("a JSON Schema", async () => {
  const session = await LanguageModel.create({ samplingMode: "most-creative" });
  const responseConstraint = {
    type: "object",
    properties: { name: { enum: ["Ann", "Bob"] }, isKind: { type: "boolean" } },
    required: ["name", "isKind"],
    additionalProperties: false,
  };
  for (let i = 0; i < 5; i++) {
    const { name, isKind } = JSON.parse(await session.prompt("Who?", { responseConstraint }));
    assert.ok(["Ann", "Bob"].includes(name));
    assert.type(isKind, "boolean");
  }
  session.destroy();
});

test("constraints that cannot be followed", async () => {
  const session = await LanguageModel.create();
  const refused = [/(?=a)b(?<=c)/, { $ref: "https://example.com/a" }];
  for (const responseConstraint of refused) {
    await assertName(session.prompt("Now?", { responseConstraint }), "NotSupportedError");
  }
  // Longer than the context has room for.
  const responseConstraint = /a{2000}/;
  await assertName(session.prompt("Now?", { responseConstraint }), "SyntaxError");
  session.destroy();
});

test.run();
