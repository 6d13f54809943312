/**
 * Schemas as the standard reads them, with what they evaluate, which ajv gets wrong for some under
 * `not` and `dependentSchemas`: keywords about other schemas are here, all others are ajv's.
 */
import { type Validator, validatorOf } from "./validator.js";

export type Schema = boolean | { readonly [keyword: string]: unknown };

type Schemas = readonly Schema[];
type ByName = Readonly<Record<string, Schema>>;

const OWN = [
  ...["properties", "patternProperties", "additionalProperties", "unevaluatedProperties"],
  ...["allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas"],
];

const validators = new Map<string, Validator>();

/** Whether a value is valid. */
export const isValid = (schema: Schema, value: unknown): boolean =>
  evaluate(schema, value) !== undefined;

/** The keys that are evaluated; undefined if the value is invalid. */
function evaluate(schema: Schema, value: unknown): ReadonlySet<string> | undefined {
  if (typeof schema === "boolean") return schema ? new Set() : undefined;
  if (others(schema)(value) === false) return undefined;
  const keys = new Set<string>();
  const { unevaluatedProperties } = schema as { unevaluatedProperties?: Schema };
  for (const found of [ofMembers(schema, value), ofSameValue(schema, value)]) {
    if (found === undefined) return undefined;
    for (const key of found) keys.add(key);
  }
  if (unevaluatedProperties === undefined || !isObject(value)) return keys;
  for (const [key, item] of Object.entries(value)) {
    if (!keys.has(key) && !isValid(unevaluatedProperties, item)) return undefined;
    keys.add(key);
  }
  return keys;
}

/** What the other keywords say. */
function others(schema: object): Validator {
  const rest = Object.fromEntries(Object.entries(schema).filter(([key]) => !OWN.includes(key)));
  const text = JSON.stringify(rest);
  const validator = validators.get(text) ?? validatorOf(rest)!;
  validators.set(text, validator);
  return validator;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function ofMembers(schema: object, value: unknown): Set<string> | undefined {
  const {
    properties = {},
    patternProperties = {},
    additionalProperties,
  } = schema as {
    properties?: ByName;
    patternProperties?: ByName;
    additionalProperties?: Schema;
  };
  const keys = new Set<string>();
  if (!isObject(value)) return keys;
  for (const [key, item] of Object.entries(value)) {
    const found = Object.entries(patternProperties)
      .filter(([pattern]) => new RegExp(pattern, "u").test(key))
      .map(([, each]) => each);
    if (Object.hasOwn(properties, key)) found.push(properties[key]);
    if (found.length === 0 && additionalProperties !== undefined) found.push(additionalProperties);
    if (!found.every((each) => isValid(each, item))) return undefined;
    if (found.length > 0) keys.add(key);
  }
  return keys;
}

/** What schemas for the same value evaluate. */
function ofSameValue(schema: object, value: unknown): Set<string> | undefined {
  const {
    allOf = [],
    anyOf,
    oneOf,
    not,
    dependentSchemas = {},
    ...choice
  } = schema as {
    allOf?: Schemas;
    anyOf?: Schemas;
    oneOf?: Schemas;
    not?: Schema;
    dependentSchemas?: ByName;
    if?: Schema;
    then?: Schema;
    else?: Schema;
  };
  if (not !== undefined && isValid(not, value)) return undefined;
  const all = [...allOf];
  for (const [key, each] of Object.entries(dependentSchemas)) {
    if (isObject(value) && Object.hasOwn(value, key)) all.push(each);
  }
  const ways = (options: Schemas): Schemas => options.filter((each) => isValid(each, value));
  if (anyOf !== undefined) all.push(...(ways(anyOf).length > 0 ? ways(anyOf) : [false]));
  if (oneOf !== undefined) all.push(...(ways(oneOf).length === 1 ? ways(oneOf) : [false]));
  if (choice.if !== undefined) {
    const isHeld = isValid(choice.if, value);
    all.push(...(isHeld ? [choice.if, choice.then ?? true] : [choice.else ?? true]));
  }
  const found = all.map((each) => evaluate(each, value));
  if (found.includes(undefined)) return undefined;
  return new Set(found.flatMap((keys) => [...keys!]));
}
