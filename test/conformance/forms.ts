/** Conformance: texts are held to a form. */
import type { ResponseFormat } from "../../src/index.js";
import { type Check, equal, PROMPT } from "./subject.js";

const OPTIONS = { maxTokens: 200, temperature: 1.5 };

const SCHEMA = {
  type: "object",
  properties: {
    name: { type: "string", minLength: 1, maxLength: 20 },
    age: { type: "integer", minimum: 0, maximum: 120 },
    tags: { type: "array", items: { enum: ["é", "😀"] }, minItems: 1, maxItems: 3 },
  },
  required: ["name", "age", "tags"],
};

/** Regular expressions, grammars and schemas. */
export const FORM_CHECKS: Record<string, Check> = {
  "a text of a regular expression and of a grammar": async ({ model }) => {
    const formats: ResponseFormat[] = [
      { type: "regex", pattern: "(é|[a-c]{2}){3}!" },
      { type: "grammar", grammar: 'root ::= ("é" | [a-c]{2}){3} "!"' },
    ];
    for (const responseFormat of formats) {
      const options = { ...OPTIONS, seed: 3, responseFormat };
      const { text, finishReason } = await model.generate(PROMPT, options).result();
      equal(finishReason, "eos");
      equal(/^(é|[a-c]{2}){3}!$/.test(text), true);
    }
  },
  "JSON of a schema": async ({ model }) => {
    const options = {
      ...OPTIONS,
      seed: 5,
      responseFormat: { type: "json_schema", schema: SCHEMA },
    } as const;
    const { text, finishReason } = await model.generate(PROMPT, options).result();
    equal(finishReason, "eos");
    const { name, age, tags, ...others } = JSON.parse(text) as Record<string, unknown>;
    equal(others, {});
    const length = [...(name as string)].length;
    equal(length >= 1 && length <= 20, true);
    equal(Number.isInteger(age) && (age as number) >= 0 && (age as number) <= 120, true);
    equal(
      (tags as string[]).every((tag) => ["é", "😀"].includes(tag)),
      true,
    );
  },
  "a form that cannot be honoured is refused": async ({ model }) => {
    const responseFormat = {
      type: "json_schema",
      schema: { type: "array", uniqueItems: true },
    } as const;
    const reason = await model
      .generate(PROMPT, { responseFormat })
      .result()
      .then(
        () => "an answer",
        (error: { code?: string }) => error.code,
      );
    equal(reason, "INVALID_ARGUMENT");
  },
};
