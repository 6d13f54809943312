/**
 * Numbers as JSON writes them, of at most 15 digits, which a double tells apart. With rules they
 * have no exponent, without any one of two digits at most.
 */
import { type CharDfa, type CharEdge, NOTHING } from "../characters/dfa.js";
import { checkStates } from "../limits.js";
import { decimalOf } from "./decimal.js";
import { freeNumbers, MOST_DIGITS, startingLast } from "./free-numbers.js";
import type { NumberRule } from "./node.js";
import { type Machine, type MachineState, machineOf } from "./number-machines.js";

type Phase =
  | "start"
  | "minus"
  | "zero"
  | "whole"
  | "point"
  | "fraction"
  | "e"
  | "sign"
  | "exponent"
  | "end";

interface State {
  readonly phase: Phase;
  readonly isNegative: boolean;
  readonly digits: number;
  readonly machines: readonly MachineState[];
}

/** The state of a machine whose rule holds whatever follows. */
const SETTLED: MachineState = [];

interface Characters {
  readonly from: string;
  readonly to: string;
}

const charactersIn = (text: string): Characters[] =>
  Array.from(text, (char) => ({ from: char, to: char }));

/** The characters that may come next in each phase, in the order of their codes. */
function charactersWith(digits: readonly Characters[]): Readonly<Record<Phase, Characters[]>> {
  const inNumber = [...charactersIn("."), ...digits, ...charactersIn("Ee")];
  return {
    start: [...charactersIn("-"), ...digits],
    minus: [...digits],
    zero: charactersIn(".Ee"),
    whole: inNumber,
    point: [...digits],
    fraction: inNumber,
    e: [...charactersIn("+-"), ...digits],
    sign: [...digits],
    exponent: [...digits],
    end: [],
  };
}

const WITH_DIGITS = charactersWith(charactersIn("0123456789"));

/** Of a number of which no rule looks at the digits any more. */
const WITH_ALIKE = charactersWith([
  { from: "0", to: "0" },
  { from: "1", to: "9" },
]);

const ENDS: readonly Phase[] = ["zero", "whole", "fraction", "exponent", "end"];

/** How many automata are kept, as the same rules come again and again. */
const MOST_KEPT = 100;

const kept = new Map<string, CharDfa>();

/** The texts of the numbers that satisfy rules. */
export function numbersOf(rules: readonly NumberRule[]): CharDfa {
  const distinct = new Map(rules.map((rule) => [JSON.stringify(rule), rule]));
  const key = [...distinct.keys()].sort().join();
  let dfa = kept.get(key);
  if (dfa === undefined) {
    const [rule, ...others] = distinct.values();
    const isFree = rule === undefined || (others.length === 0 && isWhole(rule));
    dfa = isFree ? freeNumbers(rule !== undefined) : automatonOf([...distinct.values()]);
    if (kept.size === MOST_KEPT) kept.clear();
    kept.set(key, dfa);
  }
  return dfa;
}

const isWhole = (rule: NumberRule): boolean =>
  rule.kind === "multiple" && rule.of === 1 && !rule.isNegated;

/**
 * Digits are counted, so that no state leads back to itself: equal states are found from the ends
 * on, each by what it leads to, and the automaton is the smallest as it is made.
 */
function automatonOf(rules: readonly NumberRule[]): CharDfa {
  const reader = new NumberReader(rules);
  const known = new Map<string, number>();
  const names = new Map<string, number>();
  const edges: CharEdge[][] = [];
  const finals: boolean[] = [];
  const make = (state: State): number => {
    const own = edgesOf(state, reader, nameOf);
    const isFinal = reader.mayEnd(state);
    if (own.length === 0 && !isFinal) return -1;
    let key = String(isFinal);
    own.forEach(({ from, to, target }) => {
      key += ` ${from}-${to}:${target}`;
    });
    const same = names.get(key);
    if (same !== undefined) return same;
    names.set(key, edges.length);
    finals.push(isFinal);
    return edges.push(own) - 1;
  };
  /** The state that has the texts of another; -1 if there are none. */
  const nameOf = (state: State): number => {
    const { phase, isNegative, digits, machines } = state;
    const key = `${phase} ${isNegative} ${digits} ${machines.join(";")}`;
    let name = known.get(key);
    if (name === undefined) {
      name = make(state);
      known.set(key, name);
      checkStates(known.size);
    }
    return name;
  };
  if (nameOf(reader.start) < 0) return NOTHING;
  // The start was finished last.
  return startingLast(edges, finals);
}

/** The edges of a state to those whose names are not -1. */
function edgesOf(state: State, reader: NumberReader, nameOf: (next: State) => number): CharEdge[] {
  const own: { from: number; to: number; target: number }[] = [];
  let before: State | undefined;
  let target = -1;
  const characters = reader.charactersOf(state);
  // Here and below, loops without iterators: these make most of what a first schema costs.
  for (let i = 0; i < characters.length; i++) {
    const next = reader.next(state, characters[i].from);
    if (next === undefined) continue;
    if (before === undefined || !areSame(before, next)) target = nameOf(next);
    before = next;
    if (target < 0) continue;
    const from = characters[i].from.charCodeAt(0);
    const to = characters[i].to.charCodeAt(0);
    const last = own.at(-1);
    if (last?.target === target && last.to + 1 === from) last.to = to;
    else own.push({ from, to, target });
  }
  return own;
}

function areSame(a: State, b: State): boolean {
  if (a.phase !== b.phase || a.digits !== b.digits || a.isNegative !== b.isNegative) return false;
  return a.machines.every((own, i) => {
    const other = b.machines[i];
    return (
      own === other || (own.length === other.length && own.every((each, j) => each === other[j]))
    );
  });
}

class NumberReader {
  readonly #machines: readonly Machine[];
  readonly #mayHaveFraction: boolean;
  readonly start: State;

  constructor(rules: readonly NumberRule[]) {
    this.#machines = rules.map(machineOf);
    this.#mayHaveFraction = !rules.some(
      (rule) => rule.kind === "multiple" && !rule.isNegated && decimalOf(rule.of).scale === 0,
    );
    const machines = this.#machines.map(({ start }) => start);
    this.start = { phase: "start", isNegative: false, digits: 0, machines };
  }

  /** The characters that may come next, those together that lead to the same. */
  charactersOf({ phase, machines }: State): readonly Characters[] {
    const areAlike = machines.every((each) => each === SETTLED);
    return (areAlike ? WITH_ALIKE : WITH_DIGITS)[phase];
  }

  mayEnd({ phase, isNegative, machines }: State): boolean {
    if (!ENDS.includes(phase)) return false;
    return this.#machines.every(
      (machine, i) => machines[i] === SETTLED || machine.holds(machines[i], isNegative),
    );
  }

  /** What a character leads to; undefined if it cannot come. */
  next(state: State, char: string): State | undefined {
    if (char >= "0" && char <= "9") return this.#digit(state, Number(char));
    const { phase } = state;
    if (char === "-" && phase === "start") {
      return { ...state, phase: "minus", isNegative: this.#machines.length > 0 };
    }
    if (char === ".") return this.#point(state);
    if (char === "e" || char === "E") {
      const isPlain = this.#machines.length === 0;
      const mayFollow = phase === "zero" || phase === "whole" || phase === "fraction";
      return isPlain && mayFollow ? { ...state, digits: 0, phase: "e" } : undefined;
    }
    return phase === "e" ? { ...state, phase: "sign" } : undefined;
  }

  #digit(state: State, digit: number): State | undefined {
    const { phase, digits } = state;
    switch (phase) {
      case "start":
      case "minus":
        return this.#read(state, digit === 0 ? "zero" : "whole", "wholeDigit", digit);
      case "whole":
        return digits < MOST_DIGITS ? this.#read(state, phase, "wholeDigit", digit) : undefined;
      case "point":
      case "fraction":
        if (digits >= MOST_DIGITS) return undefined;
        return this.#read(state, "fraction", "fractionDigit", digit);
      case "e":
      case "sign":
        return { ...state, phase: "exponent" };
      case "exponent":
        return { ...state, phase: "end" };
      default:
        return undefined;
    }
  }

  #read(
    state: State,
    phase: Phase,
    method: "wholeDigit" | "fractionDigit",
    digit: number,
  ): State | undefined {
    const machines: MachineState[] = [];
    for (let i = 0; i < this.#machines.length; i++) {
      const machine = this.#machines[i];
      const before = state.machines[i];
      const next = before === SETTLED ? SETTLED : machine[method](before, digit);
      const verdict = next === SETTLED ? true : machine.verdict(next, state.isNegative);
      if (verdict === false) return undefined;
      machines.push(verdict === true ? SETTLED : next);
    }
    return { ...state, phase, digits: state.digits + 1, machines };
  }

  #point(state: State): State | undefined {
    const { phase, digits } = state;
    if (!this.#mayHaveFraction || digits >= MOST_DIGITS) return undefined;
    if (phase !== "zero" && phase !== "whole") return undefined;
    const machines = this.#machines.map((each, i) =>
      state.machines[i] === SETTLED ? SETTLED : each.point(state.machines[i]),
    );
    return { ...state, phase: "point", machines };
  }
}
