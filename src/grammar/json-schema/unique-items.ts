/** Arrays of listed values in which none comes twice. */

import { choice, NO_WAY, sequence } from "../build.js";
import type { Expression } from "../expression.js";
import { separated } from "./json-text.js";
import { valuesExpression } from "./listed-values.js";
import { refuse } from "./node.js";
import type { RuleSet } from "./rules.js";

/** The most values that come in any order. */
const MOST_UNORDERED = 6;

const MOST_COUNTS = 5000;

/** Listed items of which none comes twice; many come in the order in which they are listed. */
export function uniqueItems(
  values: readonly unknown[],
  { min, max }: { readonly min: number; readonly max: number },
  rules: RuleSet,
  place: string,
): Expression {
  if (min > values.length) return NO_WAY;
  const items = values.map((value) => valuesExpression([value]));
  if (items.length <= MOST_UNORDERED) return inAnyOrder(items, { min, max }, rules);
  const isBounded = max < items.length;
  // How many have come, as far as that matters.
  const last = isBounded ? max : Math.max(min, 1);
  if (items.length * last > MOST_COUNTS) throw refuse("uniqueItems", place, true);
  let after = Array.from({ length: last + 1 }, (_, count) => (count < min ? NO_WAY : sequence()));
  for (const item of items.reverse()) {
    const next = after;
    after = next.map((without, count) => {
      if (isBounded && count === last) return without;
      const more = sequence(separated(count, item), next[Math.min(count + 1, last)]);
      return rules.named("items", choice([more, without]));
    });
  }
  return after[0];
}

/** A state for each set of items that may have come. */
function inAnyOrder(
  items: readonly Expression[],
  { min, max }: { readonly min: number; readonly max: number },
  rules: RuleSet,
): Expression {
  const known = new Map<number, Expression>();
  const after = (used: number, count: number): Expression => {
    let rule = known.get(used);
    if (rule === undefined) {
      const ways = count < min ? [] : [sequence()];
      items.forEach((item, i) => {
        const set = used | (1 << i);
        if (set === used || count >= max) return;
        ways.push(sequence(separated(count, item), after(set, count + 1)));
      });
      rule = rules.named("items", choice(ways));
      known.set(used, rule);
    }
    return rule;
  };
  return after(0, 0);
}
