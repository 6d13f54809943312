/** Numbers without rules, and whole ones: the most common, so that nothing is searched for them. */
import type { CharDfa, CharEdge } from "../characters/dfa.js";

/** The most digits before an exponent, which a double tells apart. */
export const MOST_DIGITS = 15;

const edge = (char: string, target: number, to = char): CharEdge => ({
  from: char.charCodeAt(0),
  to: to.charCodeAt(0),
  target,
});

const digit = (target: number): CharEdge => edge("0", target, "9");

/** Whole numbers have neither a fraction nor an exponent. */
export function freeNumbers(areWhole: boolean): CharDfa {
  const edges: CharEdge[][] = [];
  const finals: boolean[] = [];
  // A state is made after those that it leads to.
  const state = (isFinal: boolean, ...own: CharEdge[]): number => {
    finals.push(isFinal);
    return edges.push(own) - 1;
  };
  const exponent: CharEdge[] = [];
  if (!areWhole) {
    const last = state(true, digit(state(true)));
    const sign = state(false, digit(last));
    const e = state(false, edge("+", sign), edge("-", sign), digit(last));
    exponent.push(edge("E", e), edge("e", e));
  }
  // The states of a fraction and of a whole part by how many digits may follow.
  let fraction = state(true, ...exponent);
  let whole = fraction;
  let point: CharEdge[] = [];
  for (let left = 1; left < MOST_DIGITS; left++) {
    if (!areWhole) {
      point = [edge(".", state(false, digit(fraction)))];
      fraction = state(true, digit(fraction), ...exponent);
    }
    whole = state(true, ...point, digit(whole), ...exponent);
  }
  const zero = state(true, ...point, ...exponent);
  const first = [edge("0", zero), edge("1", whole, "9")];
  state(false, edge("-", state(false, ...first)), ...first);
  return startingLast(edges, finals);
}

/** The automaton that begins in the last of some states. */
export function startingLast(
  edges: readonly (readonly CharEdge[])[],
  finals: readonly boolean[],
): CharDfa {
  const last = edges.length - 1;
  const turned = edges.map((own) => own.map((each) => ({ ...each, target: last - each.target })));
  return { edges: turned.reverse(), finals: [...finals].reverse() };
}
