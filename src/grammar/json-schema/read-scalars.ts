/** The keywords of types, listed values, numbers and strings. */

import { search } from "../regex/compile.js";
import { readFormat } from "./formats.js";
import type { Keywords } from "./keywords.js";
import {
  ALL_TYPES,
  ARRAY,
  FALSE,
  NULL,
  NUMBER,
  type NumberRule,
  OBJECT,
  type Rules,
  STRING,
  type StringRule,
  type TextsRule,
  TRUE,
} from "./node.js";
import { once } from "./once.js";

const TYPES: ReadonlyMap<unknown, number> = new Map([
  ["null", NULL],
  ["boolean", TRUE | FALSE],
  ["number", NUMBER],
  ["integer", NUMBER],
  ["string", STRING],
  ["object", OBJECT],
  ["array", ARRAY],
]);

type ScalarRules = Pick<Rules, "types" | "values" | "numbers" | "strings">;

export function readScalars(keywords: Keywords): ScalarRules {
  const { types, isInteger } = readTypes(keywords);
  const whole: NumberRule[] = isInteger ? [{ kind: "multiple", of: 1, isNegated: false }] : [];
  const values = readValues(keywords);
  return {
    types,
    ...(values !== undefined && { values }),
    numbers: [...whole, ...readNumbers(keywords)],
    strings: [...readStrings(keywords), ...readFormat(keywords)],
  };
}

function readTypes(keywords: Keywords): { types: number; isInteger: boolean } {
  const value = keywords.get("type");
  if (value === undefined) return { types: ALL_TYPES, isInteger: false };
  const names: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (names.length === 0 || !names.every((name) => TYPES.has(name))) {
    throw keywords.wrong("type", `${[...TYPES.keys()].join(", ")} or a list of these`);
  }
  return {
    types: names.reduce<number>((types, name) => types | TYPES.get(name)!, 0),
    isInteger: names.includes("integer") && !names.includes("number"),
  };
}

function readValues(keywords: Keywords): readonly unknown[] | undefined {
  const list = keywords.get("enum");
  if (list !== undefined && !Array.isArray(list)) throw keywords.wrong("enum", "a list of values");
  if (!keywords.has("const")) return list;
  const value = keywords.get("const");
  if (list === undefined) return [value];
  return list.some((each) => canonical(each) === canonical(value)) ? [value] : [];
}

/** A text that equal values have in common, whatever the order of their properties. */
export function canonical(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const entries = Object.entries(value).map(
    ([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`,
  );
  return `{${entries.sort().join(",")}}`;
}

function readNumbers(keywords: Keywords): NumberRule[] {
  const rules: NumberRule[] = [];
  const comparisons = [
    ["minimum", ">="],
    ["exclusiveMinimum", ">"],
    ["maximum", "<="],
    ["exclusiveMaximum", "<"],
  ] as const;
  for (const [keyword, comparison] of comparisons) {
    const to = keywords.number(keyword);
    if (to !== undefined) rules.push({ kind: "compare", comparison, to });
  }
  const of = keywords.number("multipleOf");
  if (of === undefined) return rules;
  if (of <= 0) throw keywords.wrong("multipleOf", "a number greater than 0");
  return [...rules, { kind: "multiple", of, isNegated: false }];
}

function readStrings(keywords: Keywords): StringRule[] {
  const rules: StringRule[] = [];
  const min = keywords.count("minLength") ?? 0;
  const max = keywords.count("maxLength") ?? Number.POSITIVE_INFINITY;
  if (min > 0 || max < Number.POSITIVE_INFINITY) rules.push({ kind: "count", min, max });
  const pattern = keywords.get("pattern");
  if (pattern === undefined) return rules;
  if (typeof pattern !== "string") throw keywords.wrong("pattern", "a regular expression");
  return [...rules, patternRule("pattern", pattern, keywords.place)];
}

/** The texts that a pattern is found in. */
export const patternRule = (keyword: string, pattern: string, place: string): TextsRule => ({
  kind: "texts",
  keyword,
  dfa: once(() => search(pattern, ` (at ${place})`)),
});
