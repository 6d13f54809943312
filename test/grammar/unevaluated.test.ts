/** `unevaluatedProperties` beside random choices: no text and no value that is invalid. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { PlmError } from "../../src/errors.js";
import type { Grammar } from "../../src/grammar/expression.js";
import { schemaGrammar } from "../../src/grammar/json-schema/compile.js";
import { seededRandom } from "../support/random.js";
import { isValid, type Schema } from "./support/evaluate.js";
import { TextGenerator } from "./support/generate.js";
import { randomValue } from "./support/random-schema.js";
import { recognizes } from "./support/recognize.js";

const KEYS = ["a", "b", "c"];
const VALUES: readonly Schema[] = [true, { type: "null" }, { type: "string" }, { const: 1 }];
const KEYWORDS = ["anyOf", "oneOf", "allOf", "if", "not", "dependentSchemas"];

/** Random schemas of objects that evaluate properties in every way. */
class Schemas {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.#random() * items.length)];
  }

  whole(): Schema {
    const unevaluatedProperties = this.pick<Schema>([false, false, { type: "string" }]);
    const schema = { type: "object", ...this.#members(), unevaluatedProperties };
    return this.#maybe(0.5, { ...schema, ...this.#choice() }, { ...this.#choice(), ...schema });
  }

  #maybe<T>(share: number, one: T, other: T): T {
    return this.#random() < share ? one : other;
  }

  #members(): object {
    const keys = KEYS.filter(() => this.#random() < 0.4);
    return {
      properties: Object.fromEntries(keys.map((key) => [key, this.pick(VALUES)])),
      ...this.#maybe(0.3, { required: [this.pick(KEYS)] }, {}),
      ...this.#maybe(0.2, { patternProperties: { "^x": {} } }, {}),
      ...this.#maybe(0.1, { additionalProperties: this.pick([true, false]) }, {}),
      ...this.#maybe(0.1, { unevaluatedProperties: this.pick([true, false]) }, {}),
    };
  }

  #part(): Schema {
    const members = { ...this.#members() };
    return this.pick<Schema>([
      members,
      members,
      { ...members, ...this.#maybe(0.5, this.#choice(), {}) },
      { not: { not: members } },
    ]);
  }

  #choice(): object {
    const keyword = this.pick(KEYWORDS);
    if (keyword === "not") return { not: this.#members() };
    if (keyword === "dependentSchemas")
      return { [keyword]: { [this.pick(KEYS)]: this.#members() } };
    if (keyword !== "if") return { [keyword]: [this.#members(), this.#part()] };
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
    return { if: this.#part(), then: this.#members(), else: this.#members() };
  }
}

function grammarOf(schema: Schema): Grammar | undefined {
  try {
    return schemaGrammar(schema);
  } catch (error) {
    assert.is(PlmError.from(error)?.code, "INVALID_ARGUMENT");
    return undefined;
  }
}

test("texts are valid, and invalid values are no texts", () => {
  const count = Number(process.env.SCHEMAS ?? 400);
  let honoured = 0;
  for (let seed = 0; seed < count; seed++) {
    const random = seededRandom(seed);
    const schema = new Schemas(seed).whole();
    const grammar = grammarOf(schema);
    if (grammar === undefined) continue;
    honoured++;
    const generator = new TextGenerator(grammar, random);
    for (let i = 0; i < 10; i++) {
      const text = generator.text();
      assert.ok(isValid(schema, JSON.parse(text)), `${JSON.stringify(schema)}: ${text}`);
      const value = randomValue(random);
      if (isValid(schema, value)) continue;
      const json = JSON.stringify(value);
      assert.not(recognizes(grammar, json), `${JSON.stringify(schema)}: ${json}`);
    }
  }
  assert.ok(honoured > count / 3, String(honoured));
});

test.run();
