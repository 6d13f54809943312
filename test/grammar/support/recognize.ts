/** The slow, obvious reading of a grammar: whether bytes belong to it. */
import type { ByteDfa, Expression, Grammar } from "../../../src/grammar/expression.js";

/** Whether the UTF-8 of a text, or bytes, are in the grammar. */
export function recognizes(grammar: Grammar, text: string | Uint8Array): boolean {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  return new Recognizer(grammar, bytes).ends(ruleOf(grammar, grammar.root), 0).has(bytes.length);
}

/** The expression of a rule. */
export function ruleOf(grammar: Grammar, name: string): Expression {
  const rule = grammar.rules.get(name);
  if (rule === undefined) throw new Error(`no rule ${name}`);
  return rule;
}

class Recognizer {
  readonly #grammar: Grammar;
  readonly #bytes: Uint8Array;
  readonly #known = new Map<Expression, Map<number, ReadonlySet<number>>>();

  constructor(grammar: Grammar, bytes: Uint8Array) {
    this.#grammar = grammar;
    this.#bytes = bytes;
  }

  /** Where the expression may end if it begins at a position. */
  ends(expression: Expression, start: number): ReadonlySet<number> {
    let byStart = this.#known.get(expression);
    if (byStart === undefined) {
      byStart = new Map();
      this.#known.set(expression, byStart);
    }
    const known = byStart.get(start);
    if (known !== undefined) return known;
    // A rule that comes back to itself without a byte adds nothing.
    byStart.set(start, new Set());
    const found = this.#compute(expression, start);
    byStart.set(start, found);
    return found;
  }

  #compute(expression: Expression, start: number): ReadonlySet<number> {
    switch (expression.kind) {
      case "bytes": {
        const isThere = expression.bytes.every((byte, i) => this.#bytes[start + i] === byte);
        return new Set(isThere ? [start + expression.bytes.length] : []);
      }
      case "dfa":
        return this.#dfaEnds(expression.dfa, start);
      case "sequence":
        return expression.parts.reduce<ReadonlySet<number>>(
          (from, part) => this.#each(from, part),
          new Set([start]),
        );
      case "choice":
        return new Set(expression.parts.flatMap((part) => [...this.ends(part, start)]));
      case "repeat":
        return this.#repeatEnds(expression, start);
      case "rule":
        return this.ends(ruleOf(this.#grammar, expression.name), start);
    }
  }

  #each(from: ReadonlySet<number>, part: Expression): ReadonlySet<number> {
    return new Set([...from].flatMap((at) => [...this.ends(part, at)]));
  }

  #dfaEnds(dfa: ByteDfa, start: number): ReadonlySet<number> {
    const found = new Set<number>();
    let state = 0;
    for (let at = start; ; at++) {
      if (dfa.finals[state]) found.add(at);
      if (at === this.#bytes.length) return found;
      const byte = this.#bytes[at];
      const edge = dfa.edges[state].find(({ from, to }) => from <= byte && byte <= to);
      if (edge === undefined) return found;
      state = edge.target;
    }
  }

  #repeatEnds(
    { body, min, max }: Expression & { kind: "repeat" },
    start: number,
  ): ReadonlySet<number> {
    let front: ReadonlySet<number> = new Set([start]);
    for (let i = 0; i < min && front.size > 0; i++) front = this.#each(front, body);
    const found = new Set(front);
    for (let i = min; i < max && front.size > 0; i++) {
      front = new Set([...this.#each(front, body)].filter((at) => !found.has(at)));
      for (const at of front) found.add(at);
    }
    return found;
  }
}
