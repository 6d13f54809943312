/** Grammars without choices that no text can follow, and without rules that nothing refers to. */
import type { Expression, Grammar } from "./expression.js";

/** Undefined if the grammar has no text at all. */
export function prune({ root, rules }: Grammar): Grammar | undefined {
  const productive = productiveRules(rules);
  const kept = new Map<string, Expression>();
  const open = [root];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (kept.has(name)) continue;
    const rule = rules.get(name);
    const pruned = rule && pruneExpression(rule, productive, open);
    if (pruned === undefined) return undefined;
    kept.set(name, pruned);
  }
  return { root, rules: kept };
}

/** The names of the rules that have a text. */
function productiveRules(rules: ReadonlyMap<string, Expression>): ReadonlySet<string> {
  const found = new Set<string>();
  const users = new Map<string, string[]>();
  for (const [name, rule] of rules) {
    for (const used of namesIn(rule)) {
      const list = users.get(used);
      if (list === undefined) users.set(used, [name]);
      else list.push(name);
    }
  }
  // A rule is looked at again when one that it refers to turns out to have a text.
  const open = [...rules.keys()];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name) || !isProductive(rules.get(name)!, found)) continue;
    found.add(name);
    for (const user of users.get(name) ?? []) open.push(user);
  }
  return found;
}

/** The names of the rules that an expression refers to. */
export function namesIn(expression: Expression, names: Set<string> = new Set()): Set<string> {
  if (expression.kind === "rule") names.add(expression.name);
  else if (expression.kind === "repeat") namesIn(expression.body, names);
  else if ("parts" in expression) for (const part of expression.parts) namesIn(part, names);
  return names;
}

function isProductive(expression: Expression, known: ReadonlySet<string>): boolean {
  switch (expression.kind) {
    case "bytes":
      return true;
    case "dfa":
      return expression.dfa.finals.includes(true);
    case "sequence":
      return expression.parts.every((part) => isProductive(part, known));
    case "choice":
      return expression.parts.some((part) => isProductive(part, known));
    case "repeat":
      return (
        expression.min <= expression.max &&
        (expression.min === 0 || isProductive(expression.body, known))
      );
    case "rule":
      return known.has(expression.name);
  }
}

/** The expression without parts that have no text; the rules that are left in it join `used`. */
function pruneExpression(
  expression: Expression,
  productive: ReadonlySet<string>,
  used: string[],
): Expression | undefined {
  if (!isProductive(expression, productive)) return undefined;
  switch (expression.kind) {
    case "rule":
      used.push(expression.name);
      return expression;
    case "sequence":
    case "choice": {
      const parts = expression.parts.flatMap(
        (part) => pruneExpression(part, productive, used) ?? [],
      );
      return parts.length === 1 ? parts[0] : { kind: expression.kind, parts };
    }
    case "repeat": {
      const body = pruneExpression(expression.body, productive, used);
      return body === undefined ? { kind: "sequence", parts: [] } : { ...expression, body };
    }
    default:
      return expression;
  }
}
