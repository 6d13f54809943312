/** Nondeterministic automata over code points, and the deterministic ones of the same texts. */
import { Budget, checkStates } from "../limits.js";
import { Alphabet } from "./alphabet.js";
import type { CodePoints } from "./code-points.js";
import { type CharDfa, type CharEdge, joined, trim } from "./dfa.js";
import { minimize } from "./minimize.js";

/** When a step without a character may be taken. */
type When = "always" | "at the start" | "at the end";

/** A step without a character. */
interface Jump {
  readonly when: When;
  readonly target: number;
}

interface SetEdge {
  readonly set: CodePoints;
  readonly target: number;
}

/** An automaton under construction: states by number, with their steps. */
export class Nfa {
  readonly edges: SetEdge[][] = [];
  readonly jumps: Jump[][] = [];

  addState(): number {
    checkStates(this.edges.push([]));
    return this.jumps.push([]) - 1;
  }

  addEdge(from: number, set: CodePoints, target: number): void {
    this.edges[from].push({ set, target });
  }

  addJump(from: number, target: number, when: When = "always"): void {
    this.jumps[from].push({ when, target });
  }
}

/**
 * The texts that lead from `start` to `end`; `endsInAnything` says that any text leads from `end`
 * to itself.
 */
export function determinize(nfa: Nfa, start: number, end: number, endsInAnything = false): CharDfa {
  const budget = new Budget();
  const sets: Uint32Array[] = [];
  const names = new Map<string, number>();
  const finals: boolean[] = [];
  const nameOf = (from: Iterable<number>, isStart: boolean): number => {
    const whens: When[] = isStart ? ["always", "at the start"] : ["always"];
    const reached = closure(nfa, from, whens, budget);
    const isOver = endsInAnything && reached.includes(end);
    // States that only lead on have done so.
    const set = isOver
      ? Uint32Array.of(end)
      : reached.filter(
          (state) => nfa.edges[state].length > 0 || state === end || waits(nfa, state),
        );
    const key = `${isStart ? "start " : ""}${set.join(" ")}`;
    const known = names.get(key);
    if (known !== undefined) return known;
    finals.push(closure(nfa, set, [...whens, "at the end"], budget).includes(end));
    names.set(key, sets.length);
    checkStates(sets.push(set));
    return sets.length - 1;
  };
  nameOf([start], true);
  const known = new Map<string, number>();
  const targetOf = (targets: Uint32Array): number => {
    const key = targets.join(" ");
    const name = known.get(key) ?? nameOf(targets, false);
    known.set(key, name);
    return name;
  };
  const alphabet = new Alphabet(nfa.edges.flatMap((edges) => edges.map(({ set }) => set)));
  const edges: CharEdge[][] = [];
  for (const set of sets) edges.push(stepsOf(nfa, set, alphabet, targetOf, budget));
  return alphabet.expand(minimize(trim({ edges, finals })));
}

const waits = (nfa: Nfa, state: number): boolean =>
  nfa.jumps[state].some(({ when }) => when === "at the end");

/** The states that jumps of some kinds lead to, those given included, sorted. */
function closure(
  nfa: Nfa,
  from: Iterable<number>,
  whens: readonly When[],
  budget: Budget,
): Uint32Array {
  const found = new Set(from);
  for (const state of found) {
    budget.spend(1 + nfa.jumps[state].length);
    for (const { when, target } of nfa.jumps[state]) {
      if (whens.includes(when)) found.add(target);
    }
  }
  return Uint32Array.from(found).sort();
}

/** The edges of a set of states: each class of code points leads to the set of its targets. */
function stepsOf(
  nfa: Nfa,
  set: Uint32Array,
  alphabet: Alphabet,
  targetOf: (targets: Uint32Array) => number,
  budget: Budget,
): CharEdge[] {
  const targets = new Map<number, Set<number>>();
  for (const state of set) {
    for (const edge of nfa.edges[state]) {
      const symbols = alphabet.symbolsOf(edge.set);
      budget.spend(symbols.length);
      for (const symbol of symbols) {
        const known = targets.get(symbol);
        if (known === undefined) targets.set(symbol, new Set([edge.target]));
        else known.add(edge.target);
      }
    }
  }
  const edges = Array.from(targets, ([symbol, own]) => {
    const target = targetOf(Uint32Array.from(own).sort());
    return { from: symbol, to: symbol, target };
  });
  return joined(edges.sort((a, b) => a.from - b.from));
}
