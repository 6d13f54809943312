/** Whether schemas may hold together: no only if it is certain that no value satisfies them all. */
import { intersect, ofLength } from "../characters/combine.js";
import { type CharDfa, EVERYTHING, isEmpty } from "../characters/dfa.js";
import { type Alternative, Alternatives } from "./alternatives.js";
import { isMultiple } from "./decimal.js";
import { holds } from "./holds.js";
import { boundsOf, membersIn, namesIn, requiredIn, valueNodes } from "./key-values.js";
import {
  ARRAY,
  FALSE,
  NEVER,
  NULL,
  NUMBER,
  type NumberRule,
  OBJECT,
  type SchemaNode,
  STRING,
  type StringRule,
  TRUE,
} from "./node.js";
import { canonical } from "./read-scalars.js";

/** How deep it looks into properties. */
const MOST_DEPTH = 3;

/** Alternatives, told apart as far as a value's outer levels tell. */
export function distinctAlternatives(): Alternatives {
  const byDepth = new Map<string, boolean>();
  const mayHold = (nodes: readonly SchemaNode[], depth: number): boolean => {
    if (nodes.includes(NEVER)) return false;
    if (depth > MOST_DEPTH) return true;
    const key = `${depth}: ${Array.from(nodes, ({ id }) => id)
      .sort()
      .join(" ")}`;
    const known = byDepth.get(key);
    if (known !== undefined) return known;
    // What refers to itself may hold, as far as can be said while it is being looked at.
    byDepth.set(key, true);
    const deeper = (children: readonly SchemaNode[]): boolean => mayHold(children, depth + 1);
    const result = alternatives.of(nodes).some((each) => alternativeMayHold(each, deeper));
    byDepth.set(key, result);
    return result;
  };
  const alternatives: Alternatives = new Alternatives((nodes) => mayHold(nodes, 0));
  return alternatives;
}

/** The listed values that satisfy an alternative; undefined if none are listed. */
export function valuesOf({ nodes, listing }: Alternative): unknown[] | undefined {
  if (listing.length === 0) return undefined;
  const [first] = listing;
  const distinct = new Map(first.rules.values!.map((value) => [canonical(value), value]));
  return [...distinct.values()].filter((value) => nodes.every((node) => holds(node, value)));
}

export function alternativeMayHold(
  alternative: Alternative,
  mayHold: (nodes: readonly SchemaNode[]) => boolean,
): boolean {
  const values = valuesOf(alternative);
  if (values !== undefined) return values.length > 0;
  const { types } = alternative;
  if ((types & (NULL | TRUE | FALSE)) !== 0) return true;
  return (
    ((types & NUMBER) !== 0 && numbersMayHold(alternative.numbers)) ||
    ((types & STRING) !== 0 && stringsMayHold(alternative.strings)) ||
    ((types & OBJECT) !== 0 && objectsMayHold(alternative, mayHold)) ||
    ((types & ARRAY) !== 0 && arraysMayHold(alternative, mayHold))
  );
}

function numbersMayHold(rules: readonly NumberRule[]): boolean {
  let least = Number.NEGATIVE_INFINITY;
  let most = Number.POSITIVE_INFINITY;
  const strict: number[] = [];
  for (const rule of rules) {
    if (rule.kind === "multiple") {
      if (rules.some((other) => contradicts(rule, other))) return false;
      continue;
    }
    if (rule.comparison.startsWith(">")) least = Math.max(least, rule.to);
    if (rule.comparison.startsWith("<")) most = Math.min(most, rule.to);
    if (!rule.comparison.endsWith("=") || rule.comparison === "!=") strict.push(rule.to);
  }
  return least < most || (least === most && !strict.includes(least));
}

const contradicts = (rule: NumberRule & { kind: "multiple" }, other: NumberRule): boolean =>
  other.kind === "multiple" && other.isNegated && !rule.isNegated && isMultiple(rule.of, other.of);

/** Texts of all rules; formats are left out on demand, as their patterns are too strict. */
export function textsOf(rules: readonly StringRule[], withFormats: boolean): CharDfa {
  let dfa = EVERYTHING;
  for (const rule of rules) {
    if (rule.kind !== "texts" || (rule.keyword === "format" && !withFormats)) continue;
    dfa = intersect(dfa, rule.dfa());
  }
  return dfa;
}

/** A length that is looked at; longer texts are taken to be possible. */
const MOST_LENGTH = 300;

function stringsMayHold(rules: readonly StringRule[]): boolean {
  const { min, max } = boundsOf(rules);
  if (min > max) return false;
  const dfa = textsOf(rules, false);
  if (dfa === EVERYTHING) return true;
  const isShort = min <= MOST_LENGTH && (max <= MOST_LENGTH || max === Number.POSITIVE_INFINITY);
  return !isEmpty(isShort ? intersect(dfa, ofLength(min, max)) : dfa);
}

function objectsMayHold(
  { objects }: Alternative,
  mayHold: (nodes: readonly SchemaNode[]) => boolean,
): boolean {
  const { min, max } = boundsOf(objects);
  const required = requiredIn(objects);
  if (min > max || required.size > max) return false;
  const members = membersIn(objects);
  const names = namesIn(objects);
  return [...required].every(
    (key) => names.every((node) => mayBeName(node, key)) && mayHold(valueNodes(members, key)),
  );
}

/** Formats are too strict to say that a name is none. */
function mayBeName(node: SchemaNode, key: string): boolean {
  const { strings = [] } = node.rules;
  const hasFormat = strings.some((rule) => rule.kind === "texts" && rule.keyword === "format");
  return hasFormat || holds(node, key);
}

function arraysMayHold(
  { arrays }: Alternative,
  mayHold: (nodes: readonly SchemaNode[]) => boolean,
): boolean {
  const { min, max } = boundsOf(arrays);
  if (min > max) return false;
  for (let i = 0; i < Math.min(min, MOST_LENGTH); i++) {
    const nodes = arrays.flatMap((rule) =>
      rule.kind === "items" ? (rule.prefix[i] ?? rule.rest ?? []) : [],
    );
    if (!mayHold(nodes)) return false;
  }
  return true;
}
