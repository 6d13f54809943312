/**
 * Classes of code points that the same sets hold, so that an automaton over sets with hundreds of
 * ranges is made of a few symbols.
 */
import { tooLarge } from "../limits.js";
import type { CodePoints, Range } from "./code-points.js";
import { type CharDfa, joined } from "./dfa.js";

/** The most edges of an automaton whose classes have become ranges of code points. */
const MOST_EDGES = 500_000;

export class Alphabet {
  /** All code points of the sets, in order, with their class. */
  readonly #stretches: readonly (Range & { readonly symbol: number })[];
  readonly #symbols: ReadonlyMap<CodePoints, readonly number[]>;

  constructor(sets: Iterable<CodePoints>) {
    const all = new Set(sets);
    const numbers = new Map<string, number>();
    const numberOf = new Map<CodePoints, number>();
    const events: { readonly at: number; readonly number: number }[] = [];
    for (const set of all) {
      const key = keyOf(set);
      const known = numbers.get(key);
      const number = known ?? numbers.size;
      numbers.set(key, number);
      numberOf.set(set, number);
      if (known !== undefined) continue;
      for (const { from, to } of set) events.push({ at: from, number }, { at: to + 1, number });
    }
    events.sort((a, b) => a.at - b.at);
    const holders = new Set<number>();
    const names = new Map<string, number>();
    const symbols = Array.from(numbers, () => new Set<number>());
    const stretches: (Range & { symbol: number })[] = [];
    for (let i = 0; i < events.length; ) {
      const { at } = events[i];
      // Each event enters a set or leaves it.
      for (; i < events.length && events[i].at === at; i++) toggle(holders, events[i].number);
      if (holders.size === 0) continue;
      const name = [...holders].sort((a, b) => a - b).join(" ");
      const symbol = names.get(name) ?? names.size;
      names.set(name, symbol);
      stretches.push({ from: at, to: events[i].at - 1, symbol });
      for (const number of holders) symbols[number].add(symbol);
    }
    this.#stretches = stretches;
    this.#symbols = new Map(Array.from(all, (set) => [set, [...symbols[numberOf.get(set)!]]]));
  }

  /** The classes that one of the sets consists of. */
  symbolsOf(set: CodePoints): readonly number[] {
    return this.#symbols.get(set)!;
  }

  /** An automaton over classes as one over code points. */
  expand(dfa: CharDfa): CharDfa {
    let count = 0;
    const edges = dfa.edges.map((own) => {
      const targets = new Map<number, number>();
      for (const { from, to, target } of own) {
        for (let symbol = from; symbol <= to; symbol++) targets.set(symbol, target);
      }
      const found = this.#stretches.flatMap(({ from, to, symbol }) => {
        const target = targets.get(symbol);
        return target === undefined ? [] : [{ from, to, target }];
      });
      const result = joined(found);
      count += result.length;
      if (count > MOST_EDGES) throw tooLarge(`an automaton of more than ${MOST_EDGES} edges`);
      return result;
    });
    return { edges, finals: dfa.finals };
  }
}

/** What two sets of the same code points have in common. */
const keyOf = (set: CodePoints): string => set.map(({ from, to }) => `${from}-${to}`).join(" ");

function toggle(holders: Set<number>, number: number): void {
  if (!holders.delete(number)) holders.add(number);
}
