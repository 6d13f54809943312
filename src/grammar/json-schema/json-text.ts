/** The pieces that JSON texts are made of. */

import { bytesOf, sequence } from "../build.js";
import { edgeOf, PLAIN, SHORT_ESCAPES } from "../characters/json-string.js";
import { ByteStates, utf8Edges } from "../characters/utf8.js";
import type { ByteDfa, ByteEdge, Expression } from "../expression.js";

/** Nothing, a space, or a line break and up to 20 spaces or tabs. */
export const SPACE: Expression = { kind: "dfa", dfa: spaceDfa() };

function spaceDfa(): ByteDfa {
  const most = 20;
  // 0: nothing yet; 1: a space; 2: a line break; then as many spaces or tabs.
  const edges: ByteEdge[][] = [[edgeOf("\n", 2), edgeOf(" ", 1)], []];
  for (let i = 0; i <= most; i++) {
    const target = i + 3;
    edges.push(i < most ? [edgeOf("\t", target), edgeOf(" ", target)] : []);
  }
  return { edges, finals: edges.map(() => true) };
}

/** An item, behind a comma unless it is the first. */
export const separated = (position: number, item: Expression): Expression =>
  position === 0 ? sequence(SPACE, item) : sequence(bytesOf(","), SPACE, item);

/** One character of a string, written in any way that JSON allows. */
export const STRING_CHARACTER: Expression = { kind: "dfa", dfa: characterDfa() };

function characterDfa(): ByteDfa {
  const start = 0;
  const end = 1;
  const states = new ByteStates(2);
  const hex = (from: string, to: string, target: number): ByteEdge[] => {
    const digits = "0123456789abcdef";
    const range = digits.slice(digits.indexOf(from), digits.indexOf(to) + 1);
    const chars = new Set([...range, ...range.toUpperCase()]);
    return [...chars].sort().map((char) => edgeOf(char, target));
  };
  const any = (target: number): number => states.stateOf(hex("0", "f", target));
  const three = any(any(any(end)));
  // A leading surrogate is followed by a trailing one, and no other comes.
  const trail = states.stateOf(hex("c", "f", any(any(end))));
  const second = states.stateOf([edgeOf("D", trail), edgeOf("d", trail)]);
  const pair = any(any(states.stateOf([edgeOf("\\", states.stateOf([edgeOf("u", second)]))])));
  const afterD = states.stateOf(sorted([...hex("0", "7", any(any(end))), ...hex("8", "b", pair)]));
  const code = states.stateOf(
    sorted([...hex("0", "c", three), ...hex("d", "d", afterD), ...hex("e", "f", three)]),
  );
  const letters = [...SHORT_ESCAPES.values(), "/"].map((letter) => edgeOf(letter, end));
  const escaped = states.stateOf(sorted([...letters, edgeOf("u", code)]));
  const plain = utf8Edges(
    PLAIN.map((range) => ({ ...range, target: end })),
    states,
  );
  states.setEdges(start, sorted([...plain, edgeOf("\\", escaped)]));
  return states.toDfa([false, true]);
}

function sorted(edges: readonly ByteEdge[]): ByteEdge[] {
  return [...edges].sort((a, b) => a.from - b.from);
}
