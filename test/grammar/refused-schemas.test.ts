/** Schemas that are refused: by keyword and place, and quickly where they are hostile. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { PlmError } from "../../src/errors.js";
import { schemaGrammar } from "../../src/grammar/json-schema/compile.js";
import { recognizes } from "./support/recognize.js";

const refused = suite("refused schemas");

/** The message of a refusal; "" if the schema is honoured. */
function refusal(schema: unknown): string {
  try {
    schemaGrammar(schema);
    return "";
  } catch (error) {
    const { code, argument, message } = PlmError.from(error) ?? {};
    assert.equal([code, argument], ["INVALID_ARGUMENT", "responseFormat"], String(error));
    return message!;
  }
}

refused("keywords that cannot be honoured are named with their place", () => {
  const tags = { properties: { tags: { type: "array", uniqueItems: true } } };
  assert.is(
    refusal(tags),
    'responseFormat: expected a schema without "uniqueItems" (at #/properties/tags), got true',
  );
  const cases: [unknown, RegExp][] = [
    [{ format: "idn-email" }, /without "format" \(at #\), got "idn-email"/],
    [{ items: { pattern: "(?=a)" } }, /without lookahead \(at #\/items\), got .* position 0/],
    [{ $ref: "#" }, /without "\$ref"/],
    [{ anyOf: [{ $ref: "#" }, {}] }, /without "\$ref"/],
    [{ $ref: "https://example.org/other" }, /in the same document as "\$ref"/],
    [{ $ref: "#/$defs/none" }, /in the same document as "\$ref"/],
    [{ not: { patternProperties: { a: false } } }, /without "patternProperties"/],
    [{ not: { format: "date" } }, /without "format"/],
    [{ not: { anyOf: [{}], unevaluatedProperties: false } }, /without "unevaluatedProperties"/],
    [{ contains: {}, unevaluatedItems: false }, /without "unevaluatedItems"/],
    [{ type: "object", minProperties: 2 }, /without "minProperties"/],
    [{ multipleOf: 123457 }, /"multipleOf" 123457/],
  ];
  for (const [schema, expected] of cases) {
    assert.match(refusal(schema), expected, JSON.stringify(schema));
  }
});

refused("values of keywords are checked", () => {
  const wrong: Record<string, unknown[]> = {
    type: ["foo", [], 1, ["string", "foo"]],
    minLength: [-1, 1.5, "1", null],
    maxItems: [-1],
    minimum: ["1", null],
    exclusiveMinimum: [true],
    multipleOf: [0, -1],
    pattern: [1],
    enum: ["a"],
    required: ["a", [1]],
    properties: [[], { a: 1 }],
    items: [[{}], 1],
    anyOf: [[], {}],
    not: ["a"],
    $ref: [1],
    $id: [1, "#a"],
    uniqueItems: ["yes"],
    dependentRequired: [{ a: "b" }],
  };
  for (const [keyword, values] of Object.entries(wrong)) {
    for (const value of values) {
      const message = refusal({ [keyword]: value });
      assert.match(message, new RegExp(`as "${keyword.replace("$", "\\$")}" \\(at #`), message);
    }
  }
});

refused("schemas that nothing satisfies", () => {
  const impossible: unknown[] = [
    false,
    { enum: [] },
    { type: "string", minLength: 3, maxLength: 2 },
    { allOf: [{ type: "string" }, { type: "null" }] },
    { type: "object", properties: { a: { $ref: "#" } }, required: ["a"] },
    { type: "integer", exclusiveMinimum: 1, exclusiveMaximum: 2 },
    { type: "array", items: false, minItems: 1 },
  ];
  for (const schema of impossible) {
    assert.match(refusal(schema), /a schema that some value satisfies/, JSON.stringify(schema));
  }
});

refused("what is no plain JSON", () => {
  const circular: Record<string, unknown> = {};
  circular.not = circular;
  const failing = {
    get type(): string {
      throw new Error("a getter");
    },
  };
  for (const schema of [undefined, () => true, circular, failing, { minimum: 1n }]) {
    assert.match(refusal(schema), /a schema that JSON can hold/);
  }
  for (const schema of [null, "string", 1, []])
    assert.match(refusal(schema), /a schema, an object/);
});

/** A schema within itself many times. */
function nested(depth: number, wrap: (schema: unknown) => unknown): unknown {
  let schema: unknown = { type: "string" };
  for (let i = 0; i < depth; i++) schema = wrap(schema);
  return schema;
}

const numbered = (count: number, make: (i: number) => unknown): unknown[] =>
  Array.from({ length: count }, (_, i) => make(i));

refused("hostile schemas end quickly", () => {
  const references = Object.fromEntries(
    numbered(10_000, (i) => [`a${i}`, { $ref: `#/$defs/a${Number(i) + 1}` }]) as [
      string,
      unknown,
    ][],
  );
  const hostile: unknown[] = [
    nested(100_000, (items) => ({ items })),
    nested(390, (not) => ({ not })),
    nested(12, (each) => ({ anyOf: [each, structuredClone(each)] })),
    { allOf: numbered(30, (i) => ({ anyOf: [{ required: [`a${i}`] }, { required: [`b${i}`] }] })) },
    { $ref: "#/$defs/a0", $defs: { ...references, a10000: {} } },
    { oneOf: numbered(200, (i) => ({ properties: { k: { const: i } }, required: ["k"] })) },
    { oneOf: numbered(60, (i) => ({ multipleOf: Number(i) + 1 })) },
    {
      patternProperties: Object.fromEntries(
        numbered(20, (i) => [`a${i}`, {}]) as [string, object][],
      ),
    },
    { allOf: [{ multipleOf: 997 }, { multipleOf: 991 }] },
    { description: "x".repeat(5_000_000) },
    { type: "array", minItems: 1e9, contains: {}, minContains: 1e9 },
    { type: "string", pattern: "(a|b)*a(a|b){30}" },
    { type: "string", pattern: "a", maxLength: 100_000 },
  ];
  hostile.forEach((schema, i) => {
    const start = performance.now();
    refusal(schema);
    const took = performance.now() - start;
    assert.ok(took < 8000, `schema ${i} took ${took} ms`);
  });
});

refused("large schemas that are no harm are honoured", () => {
  const values = numbered(10_000, (i) => `value ${i}`);
  const grammar = schemaGrammar({ enum: values });
  assert.ok(recognizes(grammar, '"value 9999"'));
  assert.not(recognizes(grammar, '"value 10000"'));
  const properties = Object.fromEntries(
    numbered(2000, (i) => [`p${i}`, { type: "string" }]) as [string, unknown][],
  );
  assert.is(refusal({ type: "object", properties }), "");
  assert.is(refusal({ type: "string", maxLength: 100_000 }), "");
});

refused.run();
