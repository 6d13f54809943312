/** Random schemas of few names and values, so that keywords meet, and random values for them. */

type Random = () => number;

const NAMES = ["a", "b", "c"];
const PATTERNS = ["^a", "b$", "^[a-c]{1,2}$", "[0-9]", "^x?$", "a|é"];
const VALUES: readonly unknown[] = [
  ...[null, true, false, 0, 1, 2, -1, 2.5, 10, "", "a", "b", "ab", "é😀", "x1"],
  ...[[], [1], ["a", 1], {}, { a: 1 }, { b: "a", a: null }],
];
const FORMATS = ["date", "time", "uuid", "ipv4", "email"];

const pick = <T>(items: readonly T[], random: Random): T =>
  items[Math.floor(random() * items.length)];

const upTo = (most: number, random: Random): number => Math.floor(random() * (most + 1));

function some<T>(items: readonly T[], random: Random): T[] {
  const chosen = items.filter(() => random() < 0.5);
  return chosen.length > 0 ? chosen : [pick(items, random)];
}

/** What makes the value of each keyword. */
const KEYWORDS: Readonly<Record<string, (random: Random, depth: number) => unknown>> = {
  type: (random) =>
    random() < 0.7 ? pick(TYPES, random) : [...new Set([pick(TYPES, random), pick(TYPES, random)])],
  enum: (random) => some(VALUES, random),
  const: (random) => pick(VALUES, random),
  minimum: (random) => pick([-2, 0, 1, 2.5], random),
  maximum: (random) => pick([0, 1, 3, 100.25], random),
  exclusiveMinimum: (random) => pick([-2, 0, 1], random),
  exclusiveMaximum: (random) => pick([1, 2.5, 20], random),
  multipleOf: (random) => pick([1, 2, 3, 0.5, 0.01, 10], random),
  minLength: (random) => upTo(3, random),
  maxLength: (random) => upTo(4, random),
  pattern: (random) => pick(PATTERNS, random),
  format: (random) => pick(FORMATS, random),
  minItems: (random) => upTo(3, random),
  maxItems: (random) => upTo(4, random),
  uniqueItems: (random) => random() < 0.2,
  items: randomSchema,
  prefixItems: (random, depth) => list(2, random, depth),
  contains: randomSchema,
  minContains: (random) => upTo(2, random),
  maxContains: (random) => upTo(2, random),
  properties: schemasByName,
  patternProperties: (random, depth) => ({ [pick(PATTERNS, random)]: randomSchema(random, depth) }),
  additionalProperties: randomSchema,
  propertyNames: (random, depth) =>
    random() < 0.5 ? { maxLength: 2 } : randomSchema(random, depth),
  required: (random) => some(NAMES, random),
  minProperties: (random) => upTo(2, random),
  maxProperties: (random) => upTo(3, random),
  dependentRequired: (random) => ({ [pick(NAMES, random)]: some(NAMES, random) }),
  dependentSchemas: (random, depth) => ({ [pick(NAMES, random)]: randomSchema(random, depth) }),
  allOf: (random, depth) => list(2, random, depth),
  anyOf: (random, depth) => list(3, random, depth),
  oneOf: (random, depth) => list(3, random, depth),
  not: randomSchema,
  if: randomSchema,
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
  then: randomSchema,
  else: randomSchema,
  unevaluatedProperties: (random, depth) => (random() < 0.5 ? false : randomSchema(random, depth)),
  unevaluatedItems: (random, depth) => (random() < 0.5 ? false : randomSchema(random, depth)),
  $ref: (random) => pick(["#/$defs/a", "#/$defs/b", "#", "#/$defs/c"], random),
};

const TYPES = ["null", "boolean", "number", "integer", "string", "array", "object"];

const NAMES_OF_KEYWORDS = Object.keys(KEYWORDS);

const list = (most: number, random: Random, depth: number): unknown[] =>
  Array.from({ length: 1 + upTo(most - 1, random) }, () => randomSchema(random, depth));

function schemasByName(random: Random, depth: number): Record<string, unknown> {
  const names = some(NAMES, random);
  return Object.fromEntries(names.map((name) => [name, randomSchema(random, depth)]));
}

/** A schema of a few keywords. */
export function randomSchema(random: Random, depth: number): unknown {
  if (random() < 0.08) return random() < 0.7;
  const schema: Record<string, unknown> = {};
  const count = 1 + upTo(depth > 0 ? 3 : 1, random);
  for (let i = 0; i < count; i++) {
    const keyword = random() < 0.2 ? "type" : pick(NAMES_OF_KEYWORDS, random);
    const make = KEYWORDS[keyword];
    if (depth > 0) schema[keyword] = make(random, depth - 1);
    else if (!/[sS]chema|Of$|not|if|then|else|tems$|ontains|ropert|ref/.test(keyword)) {
      schema[keyword] = make(random, 0);
    }
  }
  return schema;
}

/** A schema with definitions, which may refer to each other. */
export function randomDocument(random: Random): unknown {
  const schema = randomSchema(random, 3);
  if (typeof schema !== "object" || random() < 0.6) return schema;
  const $defs = Object.fromEntries(NAMES.map((name) => [name, randomSchema(random, 2)]));
  return { ...schema, $defs };
}

export function randomValue(random: Random, depth = 2): unknown {
  if (depth === 0 || random() < 0.4) return pick(VALUES, random);
  if (random() < 0.5) {
    return Array.from({ length: upTo(4, random) }, () => randomValue(random, depth - 1));
  }
  const keys = [...NAMES, "x1", "ab", "é"].filter(() => random() < 0.4);
  return Object.fromEntries(keys.map((key) => [key, randomValue(random, depth - 1)]));
}
