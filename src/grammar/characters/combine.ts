/** What is said of texts together: products and complements of automata over code points. */
import { Budget, checkStates } from "../limits.js";
import { ANY, codePoints, complement as complementOf } from "./code-points.js";
import { type CharDfa, type CharEdge, EVERYTHING, edgesTo, trim } from "./dfa.js";
import { minimize } from "./minimize.js";

/** The texts that both accept. */
export function intersect(a: CharDfa, b: CharDfa): CharDfa {
  if (a === EVERYTHING) return b;
  if (b === EVERYTHING) return a;
  const budget = new Budget();
  // State s of the product stands for the pair pairs[s].
  const pairs: [number, number][] = [[0, 0]];
  const names = new Map([[0, 0]]);
  const stateOf = (first: number, second: number): number => {
    const key = first * b.edges.length + second;
    const known = names.get(key);
    if (known !== undefined) return known;
    names.set(key, pairs.length);
    checkStates(pairs.push([first, second]));
    return pairs.length - 1;
  };
  const edges: CharEdge[][] = [];
  for (const [first, second] of pairs) {
    const both = common(a.edges[first], b.edges[second], stateOf);
    budget.spend(both.length + 1);
    edges.push(both);
  }
  const finals = pairs.map(([first, second]) => a.finals[first] && b.finals[second]);
  return minimize(trim({ edges, finals }));
}

/** The edges that two states have in common. */
function common(
  a: readonly CharEdge[],
  b: readonly CharEdge[],
  stateOf: (first: number, second: number) => number,
): CharEdge[] {
  const result: CharEdge[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const from = Math.max(a[i].from, b[j].from);
    const to = Math.min(a[i].to, b[j].to);
    if (from <= to) result.push({ from, to, target: stateOf(a[i].target, b[j].target) });
    if (a[i].to < b[j].to) i++;
    else j++;
  }
  return result;
}

/** The texts that it does not accept. */
export function complement(dfa: CharDfa): CharDfa {
  const sink = dfa.edges.length;
  const edges = [...dfa.edges, []].map((own) =>
    [...own, ...edgesTo(complementOf(codePoints(own)), sink)].sort((a, b) => a.from - b.from),
  );
  return minimize(trim({ edges, finals: [...dfa.finals, false].map((isFinal) => !isFinal) }));
}

/** The texts that one or the other accepts. */
export const unite = (a: CharDfa, b: CharDfa): CharDfa =>
  complement(intersect(complement(a), complement(b)));

/** The texts that the first accepts and the second does not. */
export const subtract = (a: CharDfa, b: CharDfa): CharDfa => intersect(a, complement(b));

/** The texts of `min` to `max` code points; `max` may be Infinity. */
export function ofLength(min: number, max: number): CharDfa {
  const isBounded = Number.isFinite(max);
  const last = isBounded ? max : min;
  checkStates(last);
  const states = Array.from({ length: last + 1 }, (_, i) => i);
  return {
    edges: states.map((i) => {
      if (i < last) return edgesTo(ANY, i + 1);
      return isBounded ? [] : edgesTo(ANY, i);
    }),
    finals: states.map((i) => i >= min),
  };
}

/** These texts; those with surrogates that are no pairs are left out. */
export function ofTexts(texts: Iterable<string>): CharDfa {
  const edges: Map<number, number>[] = [new Map()];
  const finals = [false];
  for (const text of texts) {
    if (/\p{Cs}/u.test(text)) continue;
    let state = 0;
    for (const char of text) {
      const code = char.codePointAt(0)!;
      let target = edges[state].get(code);
      if (target === undefined) {
        target = edges.push(new Map()) - 1;
        finals.push(false);
        edges[state].set(code, target);
      }
      state = target;
    }
    finals[state] = true;
  }
  const sorted = edges.map((own) =>
    Array.from(own, ([code, target]) => ({ from: code, to: code, target })).sort(
      (a, b) => a.from - b.from,
    ),
  );
  return { edges: sorted, finals };
}
