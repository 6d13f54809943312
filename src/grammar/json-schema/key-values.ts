/** What the rules of an object say of the value of a key. */
import { accepts } from "../characters/dfa.js";
import type { MembersRule, ObjectRule, SchemaNode } from "./node.js";

export const membersIn = (rules: readonly ObjectRule[]): MembersRule[] =>
  rules.filter((rule) => rule.kind === "members");

export const requiredIn = (rules: readonly ObjectRule[]): Set<string> =>
  new Set(rules.flatMap((rule) => (rule.kind === "required" ? [rule.name] : [])));

/** The schemas that a key itself must satisfy. */
export const namesIn = (rules: readonly ObjectRule[]): SchemaNode[] =>
  rules.flatMap((rule) => (rule.kind === "names" ? [rule.node] : []));

/** The schemas that the value of a key must satisfy. */
export function valueNodes(rules: readonly MembersRule[], key: string): SchemaNode[] {
  return rules.flatMap((rule) => {
    const nodes = rule.patterns
      .filter(({ keys }) => accepts(keys.dfa(), key))
      .map(({ node }) => node);
    const own = rule.properties.get(key);
    if (own !== undefined) nodes.push(own);
    return nodes.length === 0 && rule.additional !== undefined ? [rule.additional] : nodes;
  });
}

/** Bounds of counts that all hold. */
export function boundsOf(
  rules: readonly { readonly kind: string; readonly min?: number; readonly max?: number }[],
): { min: number; max: number } {
  const bounds = { min: 0, max: Number.POSITIVE_INFINITY };
  for (const { kind, min = 0, max = Number.POSITIVE_INFINITY } of rules) {
    if (kind !== "count") continue;
    bounds.min = Math.max(bounds.min, min);
    bounds.max = Math.min(bounds.max, max);
  }
  return bounds;
}
