/** Objects: the properties that are listed, in order, then others. */

import { bytesOf, choice, many, NO_WAY, optional, repeat, sequence } from "../build.js";
import { complement, intersect, ofTexts, subtract } from "../characters/combine.js";
import { type CharDfa, EVERYTHING, isEmpty } from "../characters/dfa.js";
import { toJsonString } from "../characters/json-string.js";
import type { Expression } from "../expression.js";
import type { Alternative } from "./alternatives.js";
import { holds } from "./holds.js";
import { SPACE, separated } from "./json-text.js";
import { boundsOf, membersIn, namesIn, requiredIn, valueNodes } from "./key-values.js";
import { type MembersRule, NEVER, refuse, type SchemaNode } from "./node.js";
import type { RuleSet } from "./rules.js";
import { membersAside } from "./unevaluated.js";

/** What the text of a key may be, and what its value must satisfy. */
interface Member {
  readonly pair: Expression;
  readonly isRequired: boolean;
}

/** What objects are made with. */
export interface ObjectContext {
  readonly rules: RuleSet;
  /** Any string. */
  readonly anyString: Expression;
  /** The texts of the strings that satisfy nodes. */
  stringsOf(nodes: readonly SchemaNode[]): CharDfa;
  mayHold(nodes: readonly SchemaNode[]): boolean;
}

const MOST_CLASSES = 64;
const MOST_COUNTS = 5000;

const COMMA = (): Expression => sequence(bytesOf(","), SPACE);

export function objectExpression(
  { objects, nodes }: Alternative,
  context: ObjectContext,
): Expression {
  const held = new Set(nodes);
  const aside = objects.flatMap((rule) =>
    rule.kind === "unevaluated" ? membersAside(rule, held) : [],
  );
  const members = [...membersIn(objects), ...aside];
  const required = requiredIn(objects);
  const names = namesIn(objects);
  const { min, max } = boundsOf(objects);
  const keys = new Set([
    ...members.flatMap(({ properties }) => [...properties.keys()]),
    ...required,
  ]);
  const listed: Member[] = [];
  for (const key of keys) {
    const values = valueNodes(members, key);
    const isPossible = names.every((node) => holds(node, key)) && context.mayHold(values);
    if (isPossible) {
      const text = bytesOf(`${JSON.stringify(key)}:`);
      const pair = sequence(text, SPACE, context.rules.value(values));
      listed.push({ pair, isRequired: required.has(key) });
    } else if (required.has(key)) return NO_WAY;
  }
  const others = otherPairs(members, [...keys], names, min > listed.length, context);
  const other = others.length > 0 ? choice(others) : undefined;
  if (other !== undefined && min > listed.length + 1) {
    // Keys may be repeated, so that of others only one surely counts.
    throw refuse("minProperties", nodes[0].place, min);
  }
  const least = listed.filter(({ isRequired }) => isRequired).length;
  const isCounted = min > least || max < (other === undefined ? listed.length : Infinity);
  const inside = isCounted
    ? countedMembers(listed, other, { min, max }, context.rules, nodes)
    : freeMembers(listed, other, context.rules);
  return sequence(bytesOf("{"), inside, SPACE, bytesOf("}"));
}

/** Members without bounds of their number. */
function freeMembers(
  listed: readonly Member[],
  other: Expression | undefined,
  rules: RuleSet,
): Expression {
  const first = listed.findIndex(({ isRequired }) => isRequired);
  const after = listed.map(({ pair, isRequired }) => {
    const next = sequence(COMMA(), pair);
    return isRequired ? next : optional(next);
  });
  if (other !== undefined) after.push(many(sequence(COMMA(), other)));
  if (first === 0) return sequence(SPACE, listed[0].pair, ...after.slice(1));
  // The first property that is there is any up to the first required one.
  const last = first < 0 ? listed.length : first + 1;
  const tails: Expression[] = [];
  tails[last] = rules.named("members", sequence(...after.slice(last)));
  for (let i = last - 1; i > 0; i--)
    tails[i] = rules.named("members", sequence(after[i], tails[i + 1]));
  const ways = listed.slice(0, last).map(({ pair }, i) => sequence(SPACE, pair, tails[i + 1]));
  if (first >= 0) return choice(ways);
  if (other !== undefined) ways.push(sequence(SPACE, other, many(sequence(COMMA(), other))));
  return choice([...ways, sequence()]);
}

/** Members of which there are `min` to `max`. */
function countedMembers(
  listed: readonly Member[],
  other: Expression | undefined,
  { min, max }: { readonly min: number; readonly max: number },
  rules: RuleSet,
  nodes: readonly SchemaNode[],
): Expression {
  const most = Math.min(max, listed.length);
  if ((listed.length + 1) * (most + 1) > MOST_COUNTS) {
    const keyword = min > 0 ? "minProperties" : "maxProperties";
    throw refuse(keyword, nodes[0].place, min > 0 ? min : max);
  }
  // Behind the listed properties, where at most one more surely counts.
  const rest = (count: number): Expression => {
    const missing = Math.max(0, min - count);
    if (other === undefined || count >= max) return missing > 0 ? NO_WAY : sequence();
    if (missing > 1) return NO_WAY;
    const some = sequence(
      separated(count, other),
      repeat(sequence(COMMA(), other), 0, max - count - 1),
    );
    return missing === 1 ? some : optional(some);
  };
  let after = Array.from({ length: most + 1 }, (_, count) => rules.named("members", rest(count)));
  for (const { pair, isRequired } of [...listed].reverse()) {
    const next = after;
    after = next.map((without, count) => {
      const ways = isRequired ? [] : [without];
      if (count < most) ways.push(sequence(separated(count, pair), next[count + 1]));
      return rules.named("members", choice(ways));
    });
  }
  return after[0];
}

/** The pairs of keys that are not listed: one for each set of keys whose values are alike. */
function otherPairs(
  members: readonly MembersRule[],
  listed: readonly string[],
  names: readonly SchemaNode[],
  areNeeded: boolean,
  { rules, anyString, stringsOf, mayHold }: ObjectContext,
): Expression[] {
  const hasPatterns = members.some(({ patterns }) => patterns.length > 0);
  const isSpelled = members.some((rule) => rule.isSpelled && rule.properties.size > 0);
  const hasAdditional = members.some(({ additional }) => additional !== undefined);
  // Without additionalProperties, the properties that are spelt out are meant to be all.
  const mayBeAny = hasAdditional || areNeeded || !(isSpelled || hasPatterns);
  if (!mayBeAny && !hasPatterns) return [];
  const anyValues = members.flatMap(({ patterns, additional }) =>
    patterns.length === 0 && additional !== undefined ? [additional] : [],
  );
  if (anyValues.includes(NEVER)) return [];
  let all = names.length > 0 ? stringsOf(names) : EVERYTHING;
  if (listed.length > 0) all = intersect(all, complement(ofTexts(listed)));
  return classesOf(members, all).flatMap(({ keys, matched }) => {
    if (matched.size === 0 && !mayBeAny) return [];
    const values = members.flatMap(({ patterns, additional }) => {
      const own = patterns.filter((pattern) => matched.has(pattern)).map(({ node }) => node);
      return own.length === 0 && additional !== undefined ? [additional] : own;
    });
    if (!mayHold(values)) return [];
    const quote = bytesOf('"');
    const key: Expression =
      keys === EVERYTHING
        ? anyString
        : sequence(quote, { kind: "dfa", dfa: toJsonString(keys) }, quote);
    return [sequence(key, bytesOf(":"), SPACE, rules.value(values))];
  });
}

/** Keys by the patterns that they match. */
function classesOf(
  members: readonly MembersRule[],
  all: CharDfa,
): { readonly keys: CharDfa; readonly matched: ReadonlySet<object> }[] {
  let classes = [{ keys: all, matched: new Set<object>() }];
  for (const pattern of members.flatMap(({ patterns }) => patterns)) {
    const dfa = pattern.keys.dfa();
    classes = classes.flatMap(({ keys, matched }) => [
      { keys: intersect(keys, dfa), matched: new Set([...matched, pattern]) },
      { keys: subtract(keys, dfa), matched },
    ]);
    classes = classes.filter(({ keys }) => !isEmpty(keys));
    if (classes.length > MOST_CLASSES) {
      throw refuse("patternProperties", pattern.node.place, "patterns of too many combinations");
    }
  }
  return classes.filter(({ keys }) => !isEmpty(keys));
}
