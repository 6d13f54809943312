/** Deterministic automata over code points: sets of texts. */
import { ANY, type CodePoints } from "./code-points.js";

/** Code points `from` to `to`, both included, lead to state `target`. */
export interface CharEdge {
  readonly from: number;
  readonly to: number;
  readonly target: number;
}

/** It begins in state 0, and a code point without an edge is refused. */
export interface CharDfa {
  /** The edges of each state, sorted; they do not overlap and hold no surrogates. */
  readonly edges: readonly (readonly CharEdge[])[];
  /** Whether the text may end in a state. */
  readonly finals: readonly boolean[];
}

/** No text at all. */
export const NOTHING: CharDfa = { edges: [[]], finals: [false] };

/** Every text. */
export const EVERYTHING: CharDfa = { edges: [edgesTo(ANY, 0)], finals: [true] };

export function edgesTo(set: CodePoints, target: number): CharEdge[] {
  return set.map(({ from, to }) => ({ from, to, target }));
}

/** The state that a code point leads to; -1 if it is refused. */
export function step(dfa: CharDfa, state: number, code: number): number {
  const edges = dfa.edges[state];
  let low = 0;
  let high = edges.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (code < edges[middle].from) high = middle - 1;
    else if (code > edges[middle].to) low = middle + 1;
    else return edges[middle].target;
  }
  return -1;
}

export function accepts(dfa: CharDfa, text: string): boolean {
  let state = 0;
  for (const char of text) {
    state = step(dfa, state, char.codePointAt(0)!);
    if (state < 0) return false;
  }
  return dfa.finals[state];
}

/** Whether it accepts nothing. A trimmed automaton tells at once; see trim. */
export const isEmpty = (dfa: CharDfa): boolean => !trim(dfa).finals.includes(true);

/** The automaton without the states that are not reached, or from which no text can end. */
export function trim(dfa: CharDfa): CharDfa {
  const reached = reachable([0], (state) => dfa.edges[state].map(({ target }) => target));
  const sources: number[][] = dfa.edges.map(() => []);
  for (const state of reached) {
    for (const { target } of dfa.edges[state]) sources[target].push(state);
  }
  const ends = [...reached].filter((state) => dfa.finals[state]);
  const alive = reachable(ends, (state) => sources[state]);
  if (!alive.has(0)) return NOTHING;
  const kept = [...reached].filter((state) => alive.has(state));
  const names = new Map(kept.map((state, i) => [state, i]));
  return {
    edges: kept.map((state) =>
      joined(dfa.edges[state].filter(({ target }) => alive.has(target))).map((edge) => ({
        ...edge,
        target: names.get(edge.target)!,
      })),
    ),
    finals: kept.map((state) => dfa.finals[state]),
  };
}

/** What can be reached, itself included; state by state, nearest first. */
function reachable(
  from: readonly number[],
  next: (state: number) => readonly number[],
): Set<number> {
  const found = new Set(from);
  for (const state of found) {
    for (const target of next(state)) found.add(target);
  }
  return found;
}

/** Sorted edges, those that touch and lead to the same state as one. */
export function joined(edges: readonly CharEdge[]): CharEdge[] {
  const result: CharEdge[] = [];
  for (const edge of edges) {
    const last = result.at(-1);
    if (last !== undefined && last.to + 1 === edge.from && last.target === edge.target) {
      result[result.length - 1] = { from: last.from, to: edge.to, target: edge.target };
    } else result.push(edge);
  }
  return result;
}
