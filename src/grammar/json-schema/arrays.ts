/** Arrays: items by position, then any number of others, and how many contain something. */

import { bytesOf, choice, NO_WAY, repeat, sequence } from "../build.js";
import type { Expression } from "../expression.js";
import type { Alternative } from "./alternatives.js";
import { SPACE, separated } from "./json-text.js";
import { boundsOf } from "./key-values.js";
import { negate } from "./negate.js";
import { type ArrayRule, type ContainsRule, refuse, type SchemaNode } from "./node.js";
import type { RuleSet } from "./rules.js";
import { uniqueItems } from "./unique-items.js";

export interface ArrayContext {
  readonly rules: RuleSet;
  mayHold(nodes: readonly SchemaNode[]): boolean;
  /** The only values that satisfy nodes; undefined if these are not all listed. */
  listed(nodes: readonly SchemaNode[]): readonly unknown[] | undefined;
}

const MOST_COUNTS = 5000;
const MOST_CONTAINS = 3;

/** What items there may be. */
interface Items {
  /** The schemas of the item at a position; those at `prefix` and after are alike. */
  at(position: number): readonly SchemaNode[];
  readonly prefix: number;
  readonly min: number;
  readonly max: number;
}

export function arrayExpression({ arrays, nodes }: Alternative, context: ArrayContext): Expression {
  const items = itemsOf(arrays, context);
  if (items.min > items.max) return NO_WAY;
  const contains = arrays.filter((rule) => rule.kind === "contains");
  if (items.max > 1 && arrays.some(({ kind }) => kind === "unique")) {
    const values = contains.length + items.prefix > 0 ? undefined : context.listed(items.at(0));
    if (values === undefined) throw refuse("uniqueItems", nodes[0].place, true);
    const unique = uniqueItems(values, items, context.rules, nodes[0].place);
    return sequence(bytesOf("["), unique, SPACE, bytesOf("]"));
  }
  const inside =
    contains.length > 0
      ? countedItems(items, contains, context, nodes[0].place)
      : plainItems(items, context.rules);
  return sequence(bytesOf("["), inside, SPACE, bytesOf("]"));
}

function itemsOf(arrays: readonly ArrayRule[], { mayHold }: ArrayContext): Items {
  const lists = arrays.filter((rule) => rule.kind === "items");
  const { min, max } = boundsOf(arrays);
  const at = (position: number): SchemaNode[] =>
    lists.flatMap(({ prefix, rest }) => prefix[position] ?? rest ?? []);
  const prefix = Math.max(0, ...lists.map((rule) => rule.prefix.length));
  // The array ends before the first item that cannot be.
  let length = 0;
  while (length < prefix && length < max && mayHold(at(length))) length++;
  const isOpen = length === prefix && mayHold(at(prefix));
  return { at, prefix: Math.min(prefix, length), min, max: isOpen ? max : Math.min(max, length) };
}

function plainItems({ at, prefix, min, max }: Items, rules: RuleSet): Expression {
  const item = rules.value(at(prefix));
  const least = Math.max(0, min - prefix);
  const most = max - prefix;
  let after: Expression;
  if (most <= 0) after = sequence();
  else if (prefix > 0) after = repeat(separated(1, item), least, most);
  else {
    const some = sequence(
      separated(0, item),
      repeat(separated(1, item), Math.max(0, least - 1), most - 1),
    );
    after = least === 0 ? repeat(some, 0, 1) : some;
  }
  for (let i = Math.min(prefix, max) - 1; i >= 0; i--) {
    const next = sequence(separated(i, rules.value(at(i))), after);
    after = rules.named("items", i >= min ? repeat(next, 0, 1) : next);
  }
  return after;
}

/** Items of which some numbers satisfy `contains`: a state for the position and these numbers. */
function countedItems(
  items: Items,
  contains: readonly ContainsRule[],
  { rules, mayHold }: ArrayContext,
  place: string,
): Expression {
  if (contains.length > MOST_CONTAINS) throw refuse("contains", place, "too many of them");
  const { at, prefix, min, max } = items;
  const last = Number.isFinite(max) ? max : Math.max(prefix, min, 1);
  const names = new Map<string, string>();
  const states: { position: number; counts: readonly number[]; name: string }[] = [];
  const stateOf = (position: number, counts: readonly number[]): Expression => {
    const key = `${position} ${counts.join(" ")}`;
    let name = names.get(key);
    if (name === undefined) {
      name = rules.nextName("items");
      names.set(key, name);
      states.push({ position, counts, name });
      if (states.length > MOST_COUNTS) throw refuse("contains", place, "too many numbers of items");
    }
    return { kind: "rule", name };
  };
  const start = stateOf(
    0,
    contains.map(() => 0),
  );
  for (const { position, counts, name } of states) {
    const ways: Expression[] = [];
    if (position >= min && contains.every((rule, i) => counts[i] >= rule.min)) {
      ways.push(sequence());
    }
    if (position < max) {
      for (const { found, nodes } of kindsOf(contains, counts)) {
        const all = [...at(position), ...nodes];
        if (!mayHold(all)) continue;
        const next = stateOf(Math.min(position + 1, last), found);
        ways.push(sequence(separated(position, rules.value(all)), next));
      }
    }
    rules.rules.set(name, choice(ways));
  }
  return start;
}

/** The ways in which an item may be counted: the new numbers, and what it must satisfy for it. */
function kindsOf(
  contains: readonly ContainsRule[],
  counts: readonly number[],
): { readonly found: readonly number[]; readonly nodes: readonly SchemaNode[] }[] {
  let kinds: { found: number[]; nodes: SchemaNode[] }[] = [{ found: [], nodes: [] }];
  contains.forEach(({ node, min, max }, i) => {
    const isBounded = Number.isFinite(max);
    kinds = kinds.flatMap(({ found, nodes }) => {
      const ways: { found: number[]; nodes: SchemaNode[] }[] = [];
      // Without a bound above, an item need not be counted, nor one more than needed.
      const other = isBounded ? [...nodes, negate(node)] : nodes;
      ways.push({ found: [...found, counts[i]], nodes: other });
      if (isBounded ? counts[i] < max : counts[i] < min) {
        ways.push({ found: [...found, counts[i] + 1], nodes: [...nodes, node] });
      }
      return ways;
    });
  });
  return kinds;
}
