/** Random texts of a grammar. */
import type { ByteDfa, Expression, Grammar } from "../../../src/grammar/expression.js";
import { ruleOf } from "./recognize.js";

/** How many rules deep a text goes before it takes the shortest way to its end. */
const MOST_DEPTH = 12;

/** How often a repetition goes on at most, beyond what it must. */
const MOST_REPEATS = 4;

export class TextGenerator {
  readonly #grammar: Grammar;
  readonly #random: () => number;
  /** How many rules deep each rule is at least. */
  readonly #heights = new Map<string, number>();
  readonly #distances = new Map<ByteDfa, number[]>();

  constructor(grammar: Grammar, random: () => number) {
    this.#grammar = grammar;
    this.#random = random;
    for (let before = "none"; before !== [...this.#heights.values()].join(); ) {
      before = [...this.#heights.values()].join();
      for (const [name, rule] of [...grammar.rules].reverse()) {
        const height = this.#height(rule) + 1;
        if (Number.isFinite(height)) this.#heights.set(name, height);
      }
    }
  }

  text(): string {
    const bytes: number[] = [];
    this.#write(ruleOf(this.#grammar, this.#grammar.root), bytes, 0);
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
      Uint8Array.from(bytes),
    );
  }

  #height(expression: Expression): number {
    switch (expression.kind) {
      case "sequence":
        return Math.max(0, ...expression.parts.map((part) => this.#height(part)));
      case "choice":
        return Math.min(...expression.parts.map((part) => this.#height(part)));
      case "repeat":
        return expression.min === 0 ? 0 : this.#height(expression.body);
      case "rule":
        return this.#heights.get(expression.name) ?? Number.POSITIVE_INFINITY;
      default:
        return 0;
    }
  }

  #write(expression: Expression, bytes: number[], depth: number): void {
    switch (expression.kind) {
      case "bytes":
        bytes.push(...expression.bytes);
        break;
      case "dfa":
        this.#walk(expression.dfa, bytes);
        break;
      case "sequence":
        for (const part of expression.parts) this.#write(part, bytes, depth);
        break;
      case "choice":
        this.#write(this.#choose(expression.parts, depth), bytes, depth);
        break;
      case "repeat": {
        const { body, min, max } = expression;
        const isOver = depth > MOST_DEPTH || !Number.isFinite(this.#height(body));
        const more = isOver ? 0 : Math.floor(this.#random() * (MOST_REPEATS + 1));
        const count = Math.min(min + more, max);
        for (let i = 0; i < count; i++) this.#write(body, bytes, depth);
        break;
      }
      case "rule":
        this.#write(ruleOf(this.#grammar, expression.name), bytes, depth + 1);
    }
  }

  #choose(parts: readonly Expression[], depth: number): Expression {
    const heights = parts.map((part) => this.#height(part));
    const least = depth > MOST_DEPTH ? Math.min(...heights) : Number.MAX_VALUE;
    const possible = parts.filter((_, i) => heights[i] <= least);
    return possible[Math.floor(this.#random() * possible.length)];
  }

  /** A random walk to a final state: at first anywhere, then the shortest way. */
  #walk(dfa: ByteDfa, bytes: number[]): void {
    const distances = this.#distancesOf(dfa);
    let state = 0;
    for (let i = 0; ; i++) {
      if (dfa.finals[state] && (dfa.edges[state].length === 0 || this.#random() < 0.3)) return;
      const isFar = i > 60;
      if (isFar && dfa.finals[state]) return;
      const edges = dfa.edges[state].filter(({ target }) =>
        isFar ? distances[target] < distances[state] : Number.isFinite(distances[target]),
      );
      const { from, to, target } = edges[Math.floor(this.#random() * edges.length)];
      bytes.push(from + Math.floor(this.#random() * (to - from + 1)));
      state = target;
    }
  }

  /** How many bytes each state is from a final one. */
  #distancesOf(dfa: ByteDfa): number[] {
    const known = this.#distances.get(dfa);
    if (known !== undefined) return known;
    const distances = dfa.finals.map((isFinal) => (isFinal ? 0 : Number.POSITIVE_INFINITY));
    for (let changed = true; changed; ) {
      changed = false;
      dfa.edges.forEach((edges, state) => {
        const next = 1 + Math.min(...edges.map(({ target }) => distances[target]));
        if (next >= distances[state]) return;
        distances[state] = next;
        changed = true;
      });
    }
    this.#distances.set(dfa, distances);
    return distances;
  }
}
