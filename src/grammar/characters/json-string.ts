/** Texts as JSON writes them between the quotes of a string. */
import type { ByteDfa, ByteEdge } from "../expression.js";
import { codePoints, complement, intersection, type Range } from "./code-points.js";
import { type CharDfa, type CharEdge, step } from "./dfa.js";
import { ByteStates, utf8Edges } from "./utf8.js";

/** The characters that JSON writes as a backslash and a letter, by their code. */
export const SHORT_ESCAPES: ReadonlyMap<number, string> = new Map([
  [0x22, '"'],
  [0x5c, "\\"],
  [0x08, "b"],
  [0x09, "t"],
  [0x0a, "n"],
  [0x0c, "f"],
  [0x0d, "r"],
]);

/** The characters that a JSON string does not hold as they are. */
const ESCAPED = codePoints([
  { from: 0, to: 0x1f },
  { from: 0x22, to: 0x22 },
  { from: 0x5c, to: 0x5c },
]);

/** Those that it does. */
export const PLAIN: readonly Range[] = complement(ESCAPED);

const byte = (char: string): number => char.charCodeAt(0);

/** An edge over one ASCII character. */
export const edgeOf = (char: string, target: number): ByteEdge => ({
  from: byte(char),
  to: byte(char),
  target,
});

const sorted = (edges: readonly ByteEdge[]): ByteEdge[] =>
  [...edges].sort((a, b) => a.from - b.from);

/** Results, as those of formats are used again and again. */
const encoded = new WeakMap<CharDfa, ByteDfa>();

/**
 * The texts of an automaton inside a JSON string: characters that need no escape as UTF-8; `"`, `\`
 * and some control characters with a letter, the others as \u00xx in either case.
 */
export function toJsonString(dfa: CharDfa): ByteDfa {
  const result = encoded.get(dfa) ?? encode(dfa);
  encoded.set(dfa, result);
  return result;
}

function encode(dfa: CharDfa): ByteDfa {
  const states = new ByteStates(dfa.edges.length);
  dfa.edges.forEach((edges, state) => {
    const plain = edges.flatMap(({ from, to, target }) =>
      intersection([{ from, to }], PLAIN).map((range) => ({ ...range, target })),
    );
    const escapes = escapesOf(dfa, state, edges, states);
    const backslash = escapes.length > 0 ? [edgeOf("\\", states.stateOf(escapes))] : [];
    states.setEdges(state, sorted([...utf8Edges(plain, states), ...backslash]));
  });
  return states.toDfa(dfa.finals);
}

/** The edges behind a backslash. */
function escapesOf(
  dfa: CharDfa,
  state: number,
  edges: readonly CharEdge[],
  states: ByteStates,
): ByteEdge[] {
  if (!edges.some(({ from, to }) => from <= 0x1f || (from <= 0x5c && to >= 0x22))) return [];
  const result: ByteEdge[] = [];
  for (const [code, letter] of SHORT_ESCAPES) {
    const target = step(dfa, state, code);
    if (target >= 0) result.push(edgeOf(letter, target));
  }
  const rows = [0, 1].map((row) => {
    const digits: ByteEdge[] = [];
    for (let digit = 0; digit < 16; digit++) {
      const code = row * 16 + digit;
      const target = SHORT_ESCAPES.has(code) ? -1 : step(dfa, state, code);
      if (target < 0) continue;
      const lower = digit.toString(16);
      digits.push(edgeOf(lower, target));
      if (digit > 9) digits.push(edgeOf(lower.toUpperCase(), target));
    }
    return sorted(digits);
  });
  const numbers = rows.flatMap((digits, row) =>
    digits.length > 0 ? [edgeOf(String(row), states.stateOf(digits))] : [],
  );
  if (numbers.length > 0) {
    const second = states.stateOf([edgeOf("0", states.stateOf(numbers))]);
    result.push(edgeOf("u", states.stateOf([edgeOf("0", second)])));
  }
  return sorted(result);
}
