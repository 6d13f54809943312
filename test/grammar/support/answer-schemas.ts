/** Schemas of answers as applications ask for them, many kinds of them. */

const object = (properties: Readonly<Record<string, unknown>>, others: object = {}): object => ({
  type: "object",
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
  ...others,
});

const list = (items: unknown, minItems: number, maxItems: number): object => ({
  type: "array",
  items,
  minItems,
  maxItems,
});

const text = (maxLength: number, minLength = 1): object => ({
  type: "string",
  minLength,
  maxLength,
});

const integer = (minimum: number, maximum: number): object => ({
  type: "integer",
  minimum,
  maximum,
});

const number = (minimum: number, maximum: number): object => ({ type: "number", minimum, maximum });

const matching = (pattern: string): object => ({ type: "string", pattern });

const format = (name: string): object => ({ type: "string", format: name });

const oneOfTexts = (...values: string[]): object => ({ type: "string", enum: values });

const kind = (name: string, own: object): object => object({ kind: { const: name }, ...own });

const FLAG = { type: "boolean" };

const OBJECTS: readonly object[] = [
  object({ name: text(30), age: integer(0, 120) }),
  object({ name: text(20), email: format("email"), isAdmin: FLAG }),
  object({ title: text(40), year: integer(1900, 2100), genres: list(text(12), 1, 3) }),
  object({
    id: format("uuid"),
    customer: object({ name: text(20), city: text(20) }),
    lines: list(
      object({ article: text(16), count: integer(1, 99), price: number(0, 999.5) }),
      1,
      3,
    ),
    isPaid: FLAG,
  }),
  object({ street: text(24), zip: matching("^[0-9]{5}$"), state: matching("^[A-Z]{2}$") }),
  object({ day: format("date"), start: format("time"), place: text(20) }),
  object({ at: format("date-time"), host: format("hostname"), address: format("ipv4") }),
  object({ mood: oneOfTexts("happy", "sad", "angry"), score: number(0, 1) }),
  object({
    answer: { type: ["string", "null"], maxLength: 20 },
    sure: { type: ["boolean", "null"] },
  }),
  object({ question: text(30), options: list(text(15), 2, 4), correct: integer(0, 3) }),
];

const LISTS: readonly object[] = [
  { ...list(oneOfTexts("red", "green", "blue", "white"), 1, 4), uniqueItems: true },
  list(integer(-50, 50), 3, 8),
  list(list(number(-1, 1), 2, 2), 1, 4),
  list(object({ word: text(12), kind: oneOfTexts("noun", "verb") }), 1, 3),
  {
    type: "array",
    prefixItems: [number(-90, 90), number(-180, 180), text(10)],
    items: false,
    minItems: 2,
  },
  {
    type: "array",
    prefixItems: [oneOfTexts("+", "-")],
    items: integer(0, 9),
    minItems: 3,
    maxItems: 5,
  },
  { type: "array", contains: { const: "end" }, items: text(6), minItems: 2, maxItems: 4 },
  {
    type: "array",
    items: { type: "integer", multipleOf: 5, minimum: 0, maximum: 500 },
    maxItems: 6,
  },
];

const SCALARS: readonly object[] = [
  oneOfTexts("yes", "no", "maybe"),
  { type: "number", multipleOf: 0.25, minimum: -4, exclusiveMaximum: 4 },
  matching("^(?:\\+1 )?[2-9]\\d{2}-\\d{3}-\\d{4}$"),
  { anyOf: [integer(1, 10), text(10), { type: "null" }] },
  { enum: [1, "two", null, [3], { four: 4 }] },
  { type: "string", pattern: "^[a-z]+( [a-z]+){1,4}$", maxLength: 40 },
];

const UNIONS: readonly object[] = [
  {
    oneOf: [
      kind("circle", { radius: number(0, 10) }),
      kind("box", { width: number(0, 10), height: number(0, 10) }),
      kind("text", { text: text(20) }),
    ],
  },
  object({
    steps: list(
      {
        anyOf: [
          kind("say", { words: text(20) }),
          kind("wait", { seconds: integer(1, 60) }),
          kind("stop", {}),
        ],
      },
      1,
      3,
    ),
  }),
  {
    ...object({ country: oneOfTexts("US", "DE"), code: text(10) }),
    if: { properties: { country: { const: "US" } } },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
    then: { properties: { code: { pattern: "^[0-9]{5}$" } } },
    else: { properties: { code: { pattern: "^D-[0-9]{4}$" } } },
  },
  {
    type: "object",
    properties: { card: matching("^[0-9]{8}$"), name: text(12), address: text(12) },
    dependentRequired: { card: ["address"] },
    required: ["name"],
    additionalProperties: false,
  },
  { allOf: [object({ a: integer(0, 99), b: FLAG }), { properties: { a: { multipleOf: 3 } } }] },
  {
    oneOf: [
      { type: "integer", maximum: 3, minimum: -9 },
      { type: "number", minimum: 2, maximum: 9 },
    ],
  },
  { type: "string", maxLength: 12, not: { enum: ["", "yes", "no"] } },
  object({
    tool: { const: "search" },
    arguments: object({ query: text(24), limit: integer(1, 20) }),
  }),
];

const OPEN: readonly object[] = [
  { type: "object", additionalProperties: integer(0, 9), maxProperties: 3 },
  { type: "object", patternProperties: { "^x-[a-z]{1,4}$": FLAG }, maxProperties: 3 },
  {
    type: "object",
    properties: { id: integer(1, 99) },
    required: ["id"],
    additionalProperties: text(8),
    propertyNames: { pattern: "^[a-z]{1,6}$" },
    maxProperties: 3,
  },
  {
    type: "object",
    properties: { a: FLAG, b: FLAG, c: FLAG, d: FLAG },
    minProperties: 2,
    maxProperties: 3,
  },
];

const RECURSIVE: readonly object[] = [
  {
    $ref: "#/$defs/tree",
    $defs: {
      tree: object({
        value: integer(0, 99),
        children: { type: "array", items: { $ref: "#/$defs/tree" }, maxItems: 2 },
      }),
    },
  },
  {
    $ref: "#/$defs/list",
    $defs: {
      list: object({
        head: text(8),
        tail: { anyOf: [{ type: "null" }, { $ref: "#/$defs/list" }] },
      }),
    },
  },
  {
    $ref: "#/$defs/sum",
    $defs: {
      sum: { anyOf: [integer(0, 9), object({ plus: list({ $ref: "#/$defs/sum" }, 2, 2) })] },
    },
  },
  object(
    { name: text(12), parent: { $ref: "#/$defs/person" } },
    {
      $defs: { person: object({ name: text(12), born: format("date") }) },
    },
  ),
];

/** Forty of them. */
export const ANSWER_SCHEMAS: readonly object[] = [
  ...OBJECTS,
  ...LISTS,
  ...SCALARS,
  ...UNIONS,
  ...OPEN,
  ...RECURSIVE,
];
