/**
 * Numbers as JSON writes them, of at most 15 digits, which a double tells apart. With rules they
 * have no exponent, without any one of two digits at most.
 */
import type { CharDfa, CharEdge } from "../characters/dfa.js";
import { joined, trim } from "../characters/dfa.js";
import { minimize } from "../characters/minimize.js";
import { checkStates } from "../limits.js";
import { decimalOf } from "./decimal.js";
import type { NumberRule } from "./node.js";
import { type Machine, type MachineState, machineOf } from "./number-machines.js";

const MOST_DIGITS = 15;

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
    dfa = automatonOf([...distinct.values()]);
    if (kept.size === MOST_KEPT) kept.clear();
    kept.set(key, dfa);
  }
  return dfa;
}

function automatonOf(rules: readonly NumberRule[]): CharDfa {
  const reader = new NumberReader(rules);
  const states: State[] = [];
  const names = new Map<string, number>();
  const nameOf = (state: State): number => {
    const { phase, isNegative, digits, machines } = state;
    const key = `${phase} ${isNegative} ${digits} ${machines.join(";")}`;
    const known = names.get(key);
    if (known !== undefined) return known;
    names.set(key, states.length);
    checkStates(states.push(state));
    return states.length - 1;
  };
  nameOf(reader.start);
  const edges: CharEdge[][] = [];
  for (const state of states) {
    const own: CharEdge[] = [];
    // In the order of their codes, as edges are sorted.
    for (const char of "+-.0123456789Ee") {
      const next = reader.next(state, char);
      const code = char.charCodeAt(0);
      if (next !== undefined) own.push({ from: code, to: code, target: nameOf(next) });
    }
    edges.push(joined(own));
  }
  return minimize(trim({ edges, finals: states.map((state) => reader.mayEnd(state)) }));
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

  mayEnd({ phase, isNegative, machines }: State): boolean {
    if (!ENDS.includes(phase)) return false;
    return this.#machines.every((machine, i) => machine.holds(machines[i], isNegative));
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

  #read(state: State, phase: Phase, method: "wholeDigit" | "fractionDigit", digit: number): State {
    const machines = this.#machines.map((each, i) => each[method](state.machines[i], digit));
    return { ...state, phase, digits: state.digits + 1, machines };
  }

  #point(state: State): State | undefined {
    const { phase, digits } = state;
    if (!this.#mayHaveFraction || digits >= MOST_DIGITS) return undefined;
    if (phase !== "zero" && phase !== "whole") return undefined;
    const machines = this.#machines.map((each, i) => each.point(state.machines[i]));
    return { ...state, phase: "point", machines };
  }
}
