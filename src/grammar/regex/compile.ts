/** Regular expressions as automata over code points. */
import type { CharDfa } from "../characters/dfa.js";
import { determinize, Nfa } from "../characters/nfa.js";
import { toUtf8 } from "../characters/utf8.js";
import type { Grammar } from "../expression.js";
import { ANY_CHARACTER, parseRegex } from "./parse.js";
import type { RegexNode } from "./tree.js";

/** The texts that a pattern matches from their first character to their last, in UTF-8. */
export function regexGrammar(pattern: string): Grammar {
  const dfa = toUtf8(matchWhole(pattern));
  return { root: "regex", rules: new Map([["regex", { kind: "dfa", dfa }]]) };
}

/** The texts that a pattern matches as a whole. */
export const matchWhole = (pattern: string, place?: string): CharDfa =>
  automatonOf(parseRegex(pattern, place));

/** The texts that a pattern matches somewhere, as RegExp's `test` and JSON Schema have it. */
export function search(pattern: string, place?: string): CharDfa {
  const anything: RegexNode = {
    kind: "repeat",
    body: ANY_CHARACTER,
    min: 0,
    max: Number.POSITIVE_INFINITY,
  };
  const parts = [anything, parseRegex(pattern, place), anything];
  return automatonOf({ kind: "sequence", parts }, true);
}

function automatonOf(node: RegexNode, endsInAnything = false): CharDfa {
  const nfa = new Nfa();
  const start = nfa.addState();
  return determinize(nfa, start, append(nfa, node, start), endsInAnything);
}

/** Adds what a tree matches from a state on; returns the state that it ends in. */
function append(nfa: Nfa, node: RegexNode, start: number): number {
  switch (node.kind) {
    case "set": {
      const end = nfa.addState();
      nfa.addEdge(start, node.set, end);
      return end;
    }
    case "assertion": {
      const end = nfa.addState();
      nfa.addJump(start, end, node.when);
      return end;
    }
    case "sequence":
      return node.parts.reduce((state, part) => append(nfa, part, state), start);
    case "choice": {
      const ends = node.parts.map((part) => {
        const own = nfa.addState();
        nfa.addJump(start, own);
        return append(nfa, part, own);
      });
      const end = nfa.addState();
      for (const each of ends) nfa.addJump(each, end);
      return end;
    }
    case "repeat":
      return appendRepeat(nfa, node, start);
  }
}

function appendRepeat(
  nfa: Nfa,
  { body, min, max }: RegexNode & { kind: "repeat" },
  start: number,
): number {
  let state = start;
  for (let i = 0; i < min; i++) {
    const next = append(nfa, body, state);
    // Nothing any number of times is nothing.
    if (next === state) break;
    state = next;
  }
  if (max === Number.POSITIVE_INFINITY) {
    const loop = nfa.addState();
    nfa.addJump(state, loop);
    nfa.addJump(append(nfa, body, loop), loop);
    return loop;
  }
  if (min === max) return state;
  const end = nfa.addState();
  for (let i = min; i < max; i++) {
    nfa.addJump(state, end);
    // A state of its own, as a body that loops would lead back to the one before.
    const own = nfa.addState();
    nfa.addJump(state, own);
    state = append(nfa, body, own);
  }
  nfa.addJump(state, end);
  return end;
}
