/** The rules of a grammar under construction. */
import type { Expression } from "../expression.js";
import { tooLarge } from "../limits.js";
import type { SchemaNode } from "./node.js";

const MOST_RULES = 30_000;

/** Names what schemas say together, and makes rules of it later. */
export class RuleSet {
  readonly rules: Map<string, Expression> = new Map();
  readonly #byNodes = new Map<string, Expression>();
  readonly #pending: { readonly name: string; readonly nodes: readonly SchemaNode[] }[] = [];
  #count = 0;

  /** The value that satisfies all nodes. */
  value(nodes: readonly SchemaNode[]): Expression {
    const distinct = [...new Set(nodes)].sort((a, b) => a.id - b.id);
    const key = distinct.map(({ id }) => id).join(" ");
    let rule = this.#byNodes.get(key);
    if (rule === undefined) {
      const name = this.nextName(distinct[0]?.place ?? "any value");
      rule = { kind: "rule", name };
      this.#byNodes.set(key, rule);
      this.#pending.push({ name, nodes: distinct });
    }
    return rule;
  }

  /** A name of which there is only one. */
  nextName(what: string): string {
    if (++this.#count > MOST_RULES) throw tooLarge(`a grammar of more than ${MOST_RULES} rules`);
    return `${what} ${this.#count}`;
  }

  /** A rule of its own for an expression. */
  named(what: string, expression: Expression): Expression {
    const name = this.nextName(what);
    this.rules.set(name, expression);
    return { kind: "rule", name };
  }

  /** Makes every rule that is still to be made, and those that these refer to. */
  complete(make: (nodes: readonly SchemaNode[]) => Expression): void {
    for (let next = this.#pending.pop(); next !== undefined; next = this.#pending.pop()) {
      this.rules.set(next.name, make(next.nodes));
    }
  }
}
