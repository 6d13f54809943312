/** The smallest automaton of the same texts, by refining a partition of the states (Moore). */
import { type CharDfa, joined } from "./dfa.js";

/** The most edges looked at. Larger automata are left as they are, which changes no text. */
const MOST_LOOKS = 500_000;

/** Takes a trimmed automaton. */
export function minimize(dfa: CharDfa): CharDfa {
  const size = dfa.edges.reduce((sum, edges) => sum + edges.length + 1, 0);
  let classes = dfa.finals.map(Number);
  let count = new Set(classes).size;
  for (let looks = size; looks <= MOST_LOOKS; looks += size) {
    const names = new Map<string, number>();
    const refined = dfa.edges.map((_, state) => {
      const key = signature(dfa, state, classes);
      if (!names.has(key)) names.set(key, names.size);
      return names.get(key)!;
    });
    if (names.size === count) return quotient(dfa, refined);
    classes = refined;
    count = names.size;
  }
  return dfa;
}

/** A state's class and the classes that its edges lead to. */
function signature(dfa: CharDfa, state: number, classes: readonly number[]): string {
  const targets = dfa.edges[state].map((edge) => ({ ...edge, target: classes[edge.target] }));
  const parts = joined(targets).map(({ from, to, target }) => `${from}-${to}:${target}`);
  return `${classes[state]} ${parts.join(" ")}`;
}

/** One state for each class; state 0's class comes first, as it was named first. */
function quotient(dfa: CharDfa, classes: readonly number[]): CharDfa {
  const members: number[] = [];
  classes.forEach((name, state) => {
    members[name] ??= state;
  });
  return {
    edges: members.map((state) =>
      joined(dfa.edges[state].map((edge) => ({ ...edge, target: classes[edge.target] }))),
    ),
    finals: members.map((state) => dfa.finals[state]),
  };
}
