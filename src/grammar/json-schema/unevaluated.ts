/**
 * `unevaluatedProperties` as what `additionalProperties` would be, beside all properties of the
 * schema and of those for the same value that hold.
 */
import type { Keywords } from "./keywords.js";
import {
  ANYTHING,
  type Choice,
  type KeyPattern,
  type MembersRule,
  type ObjectRule,
  type SchemaNode,
  type UnevaluatedRule,
} from "./node.js";

/** `all` and `choices` are the schemas for the same value, without the one under `not`. */
export function readUnevaluated(
  keywords: Keywords,
  own: MembersRule,
  all: readonly SchemaNode[],
  choices: readonly Choice[],
): ObjectRule[] {
  const node = keywords.schema("unevaluatedProperties");
  if (node === undefined || node === ANYTHING) return [];
  const rule: UnevaluatedRule = { kind: "unevaluated", node, own, all, choices };
  const evaluated = evaluatedBy(rule, undefined);
  return evaluated === "unknown" ? [rule] : evaluated;
}

/**
 * What the rule demands where some schemas hold, those of `held`. More of them may; then it demands
 * more than it has to. Without `held`, "unknown" if that would tell.
 */
export function membersAside(
  rule: UnevaluatedRule,
  held: ReadonlySet<SchemaNode>,
): readonly MembersRule[] {
  const members = evaluatedBy(rule, held);
  return members === "unknown" ? [] : members;
}

function evaluatedBy(
  { node, own, all, choices }: UnevaluatedRule,
  held: ReadonlySet<SchemaNode> | undefined,
): MembersRule[] | "unknown" {
  const properties = new Map<string, SchemaNode>();
  const patterns: KeyPattern[] = [];
  /** Notes what a rule looks at; whether that is all there is. */
  const look = (rule: ObjectRule): boolean => {
    if (rule.kind === "unevaluated") return true;
    if (rule.kind !== "members") return false;
    // Those that no schema spells out come of negations, which evaluate nothing.
    if (rule.isSpelled) {
      for (const name of rule.properties.keys()) properties.set(name, ANYTHING);
      for (const { keys } of rule.patterns) patterns.push({ keys, node: ANYTHING });
    }
    return rule.additional !== undefined;
  };
  if (look(own)) return [];
  const seen = new Set(all);
  const choose = (open: readonly Choice[]): boolean => {
    const options = open.flatMap((choice) => (choice.keyword === "not" ? [] : choice.options));
    if (held === undefined) return options.length === 0;
    for (const option of options) {
      if (!option.every((each) => held.has(each.core))) continue;
      for (const each of option) seen.add(each);
    }
    return true;
  };
  if (!choose(choices)) return "unknown";
  for (const each of seen) {
    const rules = each.rules;
    if ((rules.objects ?? []).some(look)) return [];
    for (const other of rules.all ?? []) seen.add(other);
    if (!choose(rules.choices ?? [])) return "unknown";
  }
  return [{ kind: "members", properties, patterns, additional: node, isSpelled: false }];
}
