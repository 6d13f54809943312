/** Python's arithmetic. */
import { asNumber, isNumeric } from "./compare.js";
import { fail } from "./failure.js";
import type { Limits } from "./limits.js";
import { formatPercent } from "./percent-format.js";
import type { BinaryOperator } from "./syntax.js";
import { defined, isList, Tuple, typeOf, type Value } from "./values.js";

/** The most bits of an integer: enough for any count, and cheap to multiply. */
const MAX_BITS = 4096;

/** `left operator right`. Fails where Python raises, and for integers of more than 4096 bits. */
export function calculate(
  operator: BinaryOperator,
  left: Value,
  right: Value,
  limits: Limits,
): Value {
  const a = defined(left);
  if (operator === "%" && typeof a === "string") return formatPercent(a, right, limits);
  const b = defined(right);
  if (isNumeric(a) && isNumeric(b)) return calculateNumbers(operator, asNumber(a), asNumber(b));
  if (operator === "+") {
    if (typeof a === "string" && typeof b === "string") return limits.text(a + b);
    if (isList(a) && isList(b)) return joined(a, b, limits);
    if (a instanceof Tuple && b instanceof Tuple)
      return new Tuple(joined(a.items, b.items, limits));
  }
  if (operator === "*") {
    const count = typeof b === "bigint" || typeof b === "boolean" ? b : a;
    const sequence = count === b ? a : b;
    if (typeof count === "bigint" || typeof count === "boolean") {
      const repeated = repeat(sequence, Math.max(0, Number(count)), limits);
      if (repeated !== undefined) return repeated;
    }
  }
  return fail(`cannot compute ${typeOf(a)} ${operator} ${typeOf(b)}`);
}

function joined(a: readonly Value[], b: readonly Value[], limits: Limits): Value[] {
  limits.reserve(a.length + b.length, "elements");
  return [...a, ...b];
}

function repeat(sequence: Value, count: number, limits: Limits): Value | undefined {
  if (typeof sequence === "string") {
    limits.reserve(sequence.length * count, "characters");
    return sequence.repeat(count);
  }
  const items = sequence instanceof Tuple ? sequence.items : sequence;
  if (!isList(items)) return undefined;
  limits.reserve(items.length * count, "elements");
  const repeated = Array.from({ length: items.length * count }, (_, i) => items[i % items.length]);
  return sequence instanceof Tuple ? new Tuple(repeated) : repeated;
}

type Number_ = bigint | number;

function calculateNumbers(operator: BinaryOperator, a: Number_, b: Number_): Number_ {
  if (typeof a === "bigint" && typeof b === "bigint") return calculateIntegers(operator, a, b);
  return calculateFloats(operator, Number(a), Number(b));
}

function calculateIntegers(operator: BinaryOperator, a: bigint, b: bigint): Number_ {
  switch (operator) {
    case "+":
      return bounded(a + b);
    case "-":
      return bounded(a - b);
    case "*":
      return bounded(a * b);
    case "/":
      return calculateFloats("/", Number(a), Number(b));
    case "//": {
      checkDivisor(b === 0n);
      return (a - modulo(a, b)) / b;
    }
    case "%":
      checkDivisor(b === 0n);
      return modulo(a, b);
    case "**": {
      if (b < 0n) return calculateFloats("**", Number(a), Number(b));
      const bits = (a < 0n ? -a : a).toString(2).length;
      if (a * a > 1n && bits * Number(b) > 2 * MAX_BITS) tooLarge();
      return bounded(a ** b);
    }
  }
}

function modulo(a: bigint, b: bigint): bigint {
  const rest = a % b;
  return rest !== 0n && rest < 0n !== b < 0n ? rest + b : rest;
}

function calculateFloats(operator: BinaryOperator, a: number, b: number): number {
  switch (operator) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      checkDivisor(b === 0);
      return a / b;
    case "//":
      checkDivisor(b === 0);
      return Math.floor(a / b);
    case "%": {
      checkDivisor(b === 0);
      const rest = a % b;
      return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
    }
    case "**":
      checkDivisor(a === 0 && b < 0);
      return a ** b;
  }
}

function checkDivisor(isZero: boolean): void {
  if (isZero) fail("division by zero");
}

const LARGEST = 1n << BigInt(MAX_BITS);

function bounded(value: bigint): bigint {
  return value > LARGEST || value < -LARGEST ? tooLarge() : value;
}

function tooLarge(): never {
  fail(`expected integers of at most ${MAX_BITS} bits`);
}

/** `-value` or `+value`. */
export function signed(value: Value, isNegative: boolean): Value {
  const number = defined(value);
  if (!isNumeric(number)) fail(`expected a number after the sign, got ${typeOf(number)}`);
  const plain = asNumber(number);
  return isNegative ? -plain : plain;
}
