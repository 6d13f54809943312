/** Schemas as people write them, one or more for each keyword. */
const point = {
  type: "object",
  properties: { x: { type: "number" }, y: { type: "number", minimum: 0, exclusiveMaximum: 360 } },
  required: ["x", "y"],
  additionalProperties: false,
};

const shape = (kind: string, own: object): object => ({
  type: "object",
  properties: { kind: { const: kind }, ...own },
  required: ["kind", ...Object.keys(own)],
});

export const SCHEMAS: readonly unknown[] = [
  {},
  true,
  { type: "string" },
  { type: ["integer", "null"] },
  { type: "integer", minimum: 3, maximum: 250 },
  { type: "integer", exclusiveMinimum: -12, exclusiveMaximum: 7 },
  { type: "number", exclusiveMinimum: -1.5, maximum: 2.25 },
  { type: "number", multipleOf: 0.25 },
  { type: "integer", multipleOf: 12, minimum: 100 },
  { type: "integer", minimum: -9007199254740991, maximum: 9007199254740991 },
  { type: "string", minLength: 2, maxLength: 5 },
  { type: "string", pattern: "^[A-Z]{2}-\\d+$", maxLength: 8 },
  { type: "string", minLength: 3, maxLength: 5, pattern: "[0-9]" },
  { enum: ["red", "green", null, 3, { a: [1, { b: 2 }] }, [true]] },
  { const: 'a "quoted"\n\u0001\ud800 text é' },
  point,
  { type: "array", items: point, minItems: 1, maxItems: 3 },
  { prefixItems: [{ type: "integer" }, { type: "string" }], items: false, minItems: 1 },
  { type: "array", contains: { type: "string" }, minContains: 2, maxContains: 3 },
  { type: "array", uniqueItems: true, maxItems: 1 },
  { type: "array", uniqueItems: true, items: { enum: ["a", "b", [1], null] } },
  { type: "array", uniqueItems: true, items: { enum: [1, 2, 3, "4"] }, minItems: 2, maxItems: 3 },
  { type: "array", uniqueItems: true, items: { enum: Array.from("abcdefghij") }, minItems: 2 },
  { type: "array", uniqueItems: true, items: { enum: Array.from("abcdefghij") }, maxItems: 4 },
  {
    type: "object",
    properties: { a: { type: "integer" }, b: { type: "string", maxLength: 5 } },
    required: ["b"],
    additionalProperties: { type: "boolean" },
    minProperties: 2,
  },
  { type: "object", properties: { a: {}, b: {}, c: {} }, minProperties: 1, maxProperties: 2 },
  {
    type: "object",
    patternProperties: { "^x-": { type: "string" } },
    additionalProperties: { type: "integer" },
    propertyNames: { maxLength: 6 },
  },
  { type: "object", properties: { a: {}, b: {} }, dependentRequired: { a: ["b"] } },
  { properties: { a: {} }, dependentSchemas: { a: { required: ["c"] } } },
  { allOf: [point, { properties: { x: { maximum: 5 } } }] },
  { allOf: [{ properties: { a: { type: "null" } } }], unevaluatedProperties: false },
  {
    type: "object",
    properties: { id: { type: "integer" } },
    oneOf: [shape("circle", { radius: { type: "number" } }), shape("dot", {})],
    unevaluatedProperties: false,
  },
  {
    anyOf: [point, { properties: { a: { type: "null" } } }],
    if: { required: ["a"] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
    then: { properties: { b: { type: "boolean" } } },
    unevaluatedProperties: { type: "string" },
  },
  { oneOf: [shape("circle", { radius: { type: "number" } }), shape("box", { a: {}, b: {} })] },
  { type: "integer", oneOf: [{ multipleOf: 5 }, { multipleOf: 3 }] },
  { oneOf: [{ required: ["a"] }, { required: ["b"] }], properties: { a: {}, b: {} } },
  { not: { type: ["string", "number"] } },
  { type: "string", not: { enum: ["a", "b"] }, maxLength: 2 },
  { type: "string", not: { pattern: "^a" } },
  {
    type: "object",
    properties: { t: { type: "integer" }, u: {}, v: { type: "null" } },
    if: { properties: { t: { const: 1 } }, required: ["t"] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
    then: { required: ["u"] },
    else: { required: ["v"] },
  },
  {
    $ref: "#/$defs/list",
    $defs: {
      list: {
        type: "object",
        properties: { value: {}, next: { anyOf: [{ $ref: "#/$defs/list" }, { type: "null" }] } },
        required: ["value", "next"],
      },
    },
  },
  { $id: "https://example.org/root", $ref: "part", $defs: { p: { $id: "part", type: "null" } } },
  { items: { $ref: "#name" }, $defs: { a: { $anchor: "name", type: "boolean" } } },
  { $dynamicRef: "#node", $defs: { a: { $dynamicAnchor: "node", type: "boolean" } } },
  JSON.parse(
    '{"type":"object","properties":{"__proto__":{"type":"null"}},"required":["__proto__"]}',
  ),
  ...["date", "time", "date-time", "duration", "email", "hostname"].map((format) => ({ format })),
  ...["ipv4", "ipv6", "uri", "uuid"].map((format) => ({ type: "string", format })),
];
