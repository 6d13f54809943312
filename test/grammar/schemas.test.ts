/** Grammars of schemas against ajv: their texts are valid, and invalid values are no texts. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { PlmError } from "../../src/errors.js";
import type { Grammar } from "../../src/grammar/expression.js";
import { schemaGrammar } from "../../src/grammar/json-schema/compile.js";
import { seededRandom } from "../support/random.js";
import { ANSWER_SCHEMAS } from "./support/answer-schemas.js";
import { TextGenerator } from "./support/generate.js";
import { randomDocument, randomValue } from "./support/random-schema.js";
import { recognizes } from "./support/recognize.js";
import { SCHEMAS } from "./support/schemas.js";
import { validatorOf } from "./support/validator.js";

const schemas = suite("JSON Schema");

/** The grammar of a schema; undefined if it is refused as it should be. */
function grammarOf(schema: unknown): Grammar | undefined {
  try {
    return schemaGrammar(schema);
  } catch (error) {
    const { code, argument } = PlmError.from(error) ?? {};
    if (code !== "INVALID_ARGUMENT" || argument !== "responseFormat") throw error;
    return undefined;
  }
}

/** Checks texts of a grammar; random values that are its texts must be valid too. */
function check(schema: unknown, grammar: Grammar, random: () => number, count: number): void {
  const validate = validatorOf(schema);
  if (validate === undefined) return;
  const generator = new TextGenerator(grammar, random);
  const name = JSON.stringify(schema);
  for (let i = 0; i < count; i++) {
    const text = generator.text();
    assert.not(validate(JSON.parse(text)) === false, `${name} does not allow ${text}`);
    const value = randomValue(random);
    if (validate(value) === false) {
      const json = JSON.stringify(value);
      assert.not(recognizes(grammar, json), `the grammar of ${name} allows ${json}`);
    }
  }
}

schemas("texts of schemas as people write them are valid", () => {
  const random = seededRandom(1);
  for (const schema of [...SCHEMAS, ...ANSWER_SCHEMAS]) {
    const grammar = schemaGrammar(schema);
    check(schema, grammar, random, 60);
    const text = new TextGenerator(grammar, random).text();
    assert.ok(recognizes(grammar, text), text);
  }
});

schemas("random schemas are honoured or refused", () => {
  let honoured = 0;
  const count = Number(process.env.SCHEMAS ?? 300);
  for (let seed = 0; seed < count; seed++) {
    const random = seededRandom(seed);
    const schema = randomDocument(random);
    const grammar = grammarOf(schema);
    if (grammar === undefined) continue;
    honoured++;
    check(schema, grammar, random, 10);
  }
  assert.ok(honoured > count / 2, String(honoured));
});

schemas.run();
