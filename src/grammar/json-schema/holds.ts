/** Whether a value satisfies a schema, for listed values, of which only those that do are left. */
import { accepts } from "../characters/dfa.js";
import { isMultiple } from "./decimal.js";
import { isObject, type JsonObject } from "./document.js";
import {
  ARRAY,
  type ArrayRule,
  type Choice,
  FALSE,
  NULL,
  NUMBER,
  type NumberRule,
  OBJECT,
  type ObjectRule,
  refuse,
  type SchemaNode,
  STRING,
  type StringRule,
  TRUE,
} from "./node.js";
import { canonical } from "./read-scalars.js";

/** The bit of a value's type. */
export function typeOf(value: unknown): number {
  if (value === null) return NULL;
  if (typeof value === "boolean") return value ? TRUE : FALSE;
  if (typeof value === "number") return NUMBER;
  if (typeof value === "string") return STRING;
  return Array.isArray(value) ? ARRAY : OBJECT;
}

/**
 * `isNegated` says that a value may be accepted for not satisfying the schema: formats, whose
 * patterns are stricter than they are, then say nothing that can be relied on.
 */
export function holds(node: SchemaNode, value: unknown, isNegated = false): boolean {
  if (node.negated !== undefined) return !holds(node.negated, value, true);
  const { rules } = node;
  if ((rules.types & typeOf(value)) === 0) return false;
  const { inexpressible } = rules;
  if (inexpressible !== undefined && holds(inexpressible.negated, value, true)) return false;
  if (rules.values !== undefined && !valuesOf(rules.values).has(canonical(value))) return false;
  const every = (nodes: readonly SchemaNode[], exact = isNegated): boolean =>
    nodes.every((each) => holds(each, value, exact));
  if (!every(rules.all ?? [])) return false;
  for (const choice of rules.choices ?? []) {
    if (!chooses(choice, (option) => every(option, isNegated || choice.isExclusive))) return false;
  }
  if (typeof value === "number")
    return (rules.numbers ?? []).every((rule) => ofNumber(rule, value));
  if (typeof value === "string") {
    return (rules.strings ?? []).every((rule) => ofString(rule, value, isNegated, node.place));
  }
  if (Array.isArray(value)) {
    return (rules.arrays ?? []).every((rule) => ofArray(rule, value, isNegated));
  }
  if (!isObject(value)) return true;
  return (rules.objects ?? []).every((rule) => ofObject(rule, value, isNegated, node.place));
}

const sets = new WeakMap<readonly unknown[], ReadonlySet<string>>();

/** The texts of listed values. */
function valuesOf(values: readonly unknown[]): ReadonlySet<string> {
  const set = sets.get(values) ?? new Set(values.map(canonical));
  sets.set(values, set);
  return set;
}

function chooses(
  { isExclusive, options }: Choice,
  isHeld: (option: readonly SchemaNode[]) => boolean,
): boolean {
  const count = options.filter(isHeld).length;
  return isExclusive ? count === 1 : count > 0;
}

function ofNumber(rule: NumberRule, value: number): boolean {
  if (rule.kind === "multiple") return isMultiple(value, rule.of) !== rule.isNegated;
  switch (rule.comparison) {
    case "<":
      return value < rule.to;
    case "<=":
      return value <= rule.to;
    case ">":
      return value > rule.to;
    case ">=":
      return value >= rule.to;
    case "!=":
      return value !== rule.to;
  }
}

const within = (count: number, { min, max }: { min: number; max: number }): boolean =>
  count >= min && count <= max;

function ofString(rule: StringRule, text: string, isNegated: boolean, place: string): boolean {
  if (rule.kind === "count") return within(Array.from(text).length, rule);
  if (isNegated && rule.keyword === "format") throw refuse("format", place, text);
  return accepts(rule.dfa(), text);
}

function ofObject(rule: ObjectRule, value: JsonObject, isNegated: boolean, place: string): boolean {
  const entries = Object.entries(value);
  if (rule.kind === "count") return within(entries.length, rule);
  if (rule.kind === "required") return Object.hasOwn(value, rule.name);
  if (rule.kind === "names") return entries.every(([key]) => holds(rule.node, key, isNegated));
  if (rule.kind === "unevaluated") throw refuse("unevaluatedProperties", place, value);
  return entries.every(([key, item]) => {
    const nodes = rule.patterns
      .filter(({ keys }) => ofString(keys, key, isNegated, place))
      .map(({ node }) => node);
    const own = rule.properties.get(key);
    if (own !== undefined) nodes.push(own);
    if (nodes.length === 0 && rule.additional !== undefined) nodes.push(rule.additional);
    return nodes.every((node) => holds(node, item, isNegated));
  });
}

function ofArray(rule: ArrayRule, items: readonly unknown[], isNegated: boolean): boolean {
  switch (rule.kind) {
    case "count":
      return within(items.length, rule);
    case "unique":
      return new Set(items.map(canonical)).size === items.length;
    case "contains": {
      // More than expected may be too many.
      const exact = isNegated || Number.isFinite(rule.max);
      return within(items.filter((item) => holds(rule.node, item, exact)).length, rule);
    }
    case "items":
      return items.every((item, i) => {
        const node = rule.prefix[i] ?? rule.rest;
        return node === undefined || holds(node, item, isNegated);
      });
  }
}
