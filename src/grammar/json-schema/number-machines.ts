/** Machines that read a number's text and keep what one rule needs to know of it. */
import { tooLarge } from "../limits.js";
import { type Decimal, decimalOf } from "./decimal.js";
import type { Comparison, NumberRule } from "./node.js";

/** What has been read: a few small numbers. */
export type MachineState = readonly number[];

/** Reads the digits of a number without an exponent; `isLoneZero` for the 0 before a point. */
export interface Machine {
  readonly start: MachineState;
  wholeDigit(state: MachineState, digit: number): MachineState;
  point(state: MachineState): MachineState;
  fractionDigit(state: MachineState, digit: number): MachineState;
  /** Whether the rule holds if the number ends here. */
  holds(state: MachineState, isNegative: boolean): boolean;
  /** Whether the rule holds whatever digits follow, where that is told easily. */
  verdict(state: MachineState, isNegative: boolean): boolean | undefined;
}

export const machineOf = (rule: NumberRule): Machine =>
  rule.kind === "compare"
    ? comparison(rule.comparison, rule.to)
    : multiple(rule.of, rule.isNegated);

/** Where a comparison's state has the digits read, and how they compare with the other's. */
const AT = { position: 0, relation: 1, inFraction: 2 } as const;

function comparison(operator: Comparison, to: number): Machine {
  const { isNegative, digits, scale } = decimalOf(to);
  const whole = digits.length > scale ? digits.slice(0, digits.length - scale) : "";
  const fraction = digits.slice(whole.length).padStart(scale, "0").replace(/0+$/, "");
  const relationOf = (digit: number, other: string | undefined): number =>
    Math.sign(digit - Number(other ?? "0"));
  /** The relation of the whole parts, of which the longer is the greater. */
  const wholeRelation = (state: MachineState): number =>
    state[AT.position] < whole.length ? -1 : state[AT.relation];
  const holds = (state: MachineState, isTextNegative: boolean): boolean => {
    const position = state[AT.position];
    const relation = state[AT.relation];
    const inFraction = state[AT.inFraction];
    let size = inFraction ? relation : wholeRelation(state);
    if (size === 0 && (inFraction ? position : 0) < fraction.length) size = -1;
    const isZero = size === 0 && digits === "";
    if (isTextNegative !== isNegative && !isZero) size = isTextNegative ? -1 : 1;
    else if (isTextNegative) size = -size;
    return satisfies(size, operator);
  };
  return {
    start: [0, 0, 0],
    wholeDigit(state, digit) {
      const position = state[AT.position];
      const relation = state[AT.relation];
      // A lone zero is no digit: the whole part of zero is empty.
      if (position === 0 && relation === 0 && digit === 0) return [0, 0, 0];
      if (position >= whole.length) return [whole.length, 1, 0];
      return [position + 1, relation || relationOf(digit, whole[position]), 0];
    },
    point: (state) => [0, wholeRelation(state), 1],
    fractionDigit(state, digit) {
      const position = state[AT.position];
      const relation = state[AT.relation];
      if (relation !== 0) return [0, relation, 1];
      const next = relationOf(digit, fraction[position]);
      return [next === 0 ? Math.min(position + 1, fraction.length) : 0, next, 1];
    },
    holds,
    verdict(state, isTextNegative) {
      const position = state[AT.position];
      const relation = state[AT.relation];
      // Further from zero than the other, or within the fraction nearer to it: that remains.
      const isOver = state[AT.inFraction]
        ? relation !== 0
        : relation > 0 && position >= whole.length;
      return isOver ? holds(state, isTextNegative) : undefined;
    },
  };
}

function satisfies(relation: number, operator: Comparison): boolean {
  switch (operator) {
    case "<":
      return relation < 0;
    case "<=":
      return relation <= 0;
    case ">":
      return relation > 0;
    case ">=":
      return relation >= 0;
    case "!=":
      return relation !== 0;
  }
}

const MOST_MODULUS = 2000;

function multiple(of: number, isNegated: boolean): Machine {
  const { digits, scale }: Decimal = decimalOf(of);
  const modulus = Number(digits);
  if (modulus > MOST_MODULUS) throw tooLarge(`the "multipleOf" ${of}`);
  const classes = remainderClasses(modulus);
  const append = (remainder: number, digit: number): number =>
    classes[(remainder * 10 + digit) % modulus];
  return {
    start: [0, 0, 0],
    wholeDigit: ([remainder], digit) => [append(remainder, digit), 0, 0],
    point: (state) => state,
    fractionDigit([remainder, places, isFiner], digit) {
      if (isFiner === 1) return [0, 0, 1];
      if (places < scale) return [append(remainder, digit), places + 1, 0];
      return digit === 0 ? [remainder, places, 0] : [0, 0, 1];
    },
    holds([remainder, places, isFiner]) {
      let rest = remainder;
      for (let i = places; i < scale; i++) rest = append(rest, 0);
      return (isFiner === 0 && rest === 0) !== isNegated;
    },
    verdict([, , isFiner]) {
      if (isFiner === 1) return isNegated;
      // A whole number, which has no fraction.
      return modulus === 1 && scale === 0 && !isNegated ? true : undefined;
    },
  };
}

/**
 * A representative of each remainder: those that stay alike whatever digits follow have the same.
 * Zero is its own.
 */
function remainderClasses(modulus: number): number[] {
  const remainders = Array.from({ length: modulus }, (_, i) => i);
  let classes = remainders.map((remainder) => Math.min(remainder, 1));
  for (let count = 0; ; ) {
    const names = new Map<string, number>();
    const refined = remainders.map((remainder) => {
      const next = Array.from(
        { length: 10 },
        (_, digit) => classes[(remainder * 10 + digit) % modulus],
      );
      const key = `${classes[remainder]} ${next.join(" ")}`;
      if (!names.has(key)) names.set(key, remainder);
      return names.get(key)!;
    });
    classes = refined;
    if (names.size === count) return classes;
    count = names.size;
  }
}
