/**
 * The slow reference of the automaton: Brzozowski's derivatives. What may follow a byte is an
 * expression of its own.
 */
import type { Expression, Grammar } from "../../../src/grammar/expression.js";

const NOTHING: Expression = { kind: "choice", parts: [] };

export class Derivatives {
  readonly #grammar: Grammar;

  constructor(grammar: Grammar) {
    this.#grammar = grammar;
  }

  /** The expression of all texts. */
  get root(): Expression {
    return this.#rule(this.#grammar.root);
  }

  /** What may follow a byte. */
  after(expression: Expression, byte: number): Expression {
    switch (expression.kind) {
      case "bytes": {
        const { bytes } = expression;
        return bytes[0] === byte ? { kind: "bytes", bytes: bytes.subarray(1) } : NOTHING;
      }
      case "dfa": {
        const { edges, finals } = expression.dfa;
        const edge = edges[0].find(({ from, to }) => from <= byte && byte <= to);
        if (edge === undefined) return NOTHING;
        // The same automaton, beginning elsewhere.
        const swap = (state: number): number =>
          state === 0 ? edge.target : state === edge.target ? 0 : state;
        const moved = edges.map((_, i) =>
          edges[swap(i)].map((each) => ({ ...each, target: swap(each.target) })),
        );
        return {
          kind: "dfa",
          dfa: { edges: moved, finals: finals.map((_, i) => finals[swap(i)]) },
        };
      }
      case "rule":
        return this.after(this.#rule(expression.name), byte);
      case "choice":
        return choice(expression.parts.map((part) => this.after(part, byte)));
      case "sequence": {
        const found: Expression[] = [];
        for (const [i, part] of expression.parts.entries()) {
          found.push(sequence([this.after(part, byte), ...expression.parts.slice(i + 1)]));
          if (!this.mayEnd(part)) break;
        }
        return choice(found);
      }
      case "repeat": {
        const { body, min, max } = expression;
        if (max === 0) return NOTHING;
        const rest: Expression = { kind: "repeat", body, min: Math.max(min - 1, 0), max: max - 1 };
        return sequence([this.after(body, byte), rest]);
      }
    }
  }

  /** Whether the empty text is one of them. */
  mayEnd(expression: Expression): boolean {
    switch (expression.kind) {
      case "bytes":
        return expression.bytes.length === 0;
      case "dfa":
        return expression.dfa.finals[0];
      case "rule":
        return this.mayEnd(this.#rule(expression.name));
      case "choice":
        return expression.parts.some((part) => this.mayEnd(part));
      case "sequence":
        return expression.parts.every((part) => this.mayEnd(part));
      case "repeat":
        return expression.min === 0 || this.mayEnd(expression.body);
    }
  }

  #rule(name: string): Expression {
    return this.#grammar.rules.get(name)!;
  }
}

/** Whether there is a text at all, in a grammar whose rules all have one. */
export function isPossible(expression: Expression): boolean {
  switch (expression.kind) {
    case "choice":
      return expression.parts.some(isPossible);
    case "sequence":
      return expression.parts.every(isPossible);
    case "repeat":
      return expression.min === 0 || isPossible(expression.body);
    default:
      return true;
  }
}

/** How large an expression is: derivatives of ambiguous ones grow. */
export function sizeOf(expression: Expression): number {
  if (expression.kind === "repeat") return 1 + sizeOf(expression.body);
  if (!("parts" in expression)) return 1;
  return expression.parts.reduce((sum, part) => sum + sizeOf(part), 1);
}

function choice(parts: readonly Expression[]): Expression {
  const possible = parts
    .filter(isPossible)
    .flatMap((part) => (part.kind === "choice" ? part.parts : [part]));
  return possible.length === 1 ? possible[0] : { kind: "choice", parts: possible };
}

function sequence(parts: readonly Expression[]): Expression {
  if (!parts.every(isPossible)) return NOTHING;
  const some = parts.flatMap((part) => (part.kind === "sequence" ? part.parts : [part]));
  return some.length === 1 ? some[0] : { kind: "sequence", parts: some };
}
