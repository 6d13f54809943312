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
  // Both ways, as chains of rules go either way.
  const entries = [...rules, ...[...rules].reverse()];
  for (let before = -1; before < found.size; ) {
    before = found.size;
    for (const [name, rule] of entries) {
      if (!found.has(name) && isProductive(rule, found)) found.add(name);
    }
  }
  return found;
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
