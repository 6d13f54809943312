/** Python's comparisons. */
import { compareText } from "./characters.js";
import { fail } from "./failure.js";
import type { Limits } from "./limits.js";
import type { CompareOperator } from "./syntax.js";
import {
  Dict,
  DictView,
  defined,
  elementsOf,
  isList,
  Range,
  Tuple,
  typeOf,
  Undefined,
  type Value,
} from "./values.js";

export type Numeric = boolean | bigint | number;

export const isNumeric = (value: Value): value is Numeric =>
  typeof value === "bigint" || typeof value === "number" || typeof value === "boolean";

export const isNegative = (value: Numeric): boolean =>
  typeof value === "number" ? value < 0 || Object.is(value, -0) : BigInt(value) < 0n;

/** `left == right`. */
export function equals(left: Value, right: Value, limits: Limits): boolean {
  if (isNumeric(left) && isNumeric(right)) {
    const [a, b] = [asNumber(left), asNumber(right)];
    return a <= b && a >= b;
  }
  limits.read(left);
  if (left === right) return true;
  if (left instanceof Undefined) return right instanceof Undefined;
  const a = sequenceOf(left);
  const b = sequenceOf(right);
  if (a !== undefined && b !== undefined) {
    if (typeOf(left) !== typeOf(right) || a.length !== b.length) return false;
    return nested(limits, () => a.every((item, i) => equals(item, b[i], limits)));
  }
  if (!(left instanceof Dict && right instanceof Dict) || left.size !== right.size) return false;
  return nested(limits, () =>
    left.entries().every(([key, value]) => {
      const other = right.get(key);
      return other !== undefined && equals(value, other, limits);
    }),
  );
}

function nested<T>(limits: Limits, compare: () => T): T {
  limits.enter();
  const result = compare();
  limits.leave();
  return result;
}

/** The value of a number or bool as a number. */
export const asNumber = (value: Numeric): bigint | number =>
  typeof value === "boolean" ? BigInt(value) : value;

function sequenceOf(value: Value): readonly Value[] | undefined {
  if (isList(value)) return value;
  return value instanceof Tuple || value instanceof Range ? value.items : undefined;
}

/**
 * Negative, zero or positive as `left` comes before `right`; NaN where neither does. Fails for what
 * Python does not order.
 */
export function order(left: Value, right: Value, limits: Limits): number {
  limits.step();
  limits.read(left);
  if (isNumeric(left) && isNumeric(right)) {
    const [a, b] = [asNumber(left), asNumber(right)];
    if (a < b) return -1;
    return a > b ? 1 : Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : 0;
  }
  if (typeof left === "string" && typeof right === "string") return compareText(left, right);
  const a = sequenceOf(defined(left));
  const b = sequenceOf(defined(right));
  if (a === undefined || b === undefined || typeOf(left) !== typeOf(right)) {
    return fail(`cannot order ${typeOf(left)} and ${typeOf(right)}`);
  }
  return nested(limits, () => {
    for (let i = 0; i < Math.min(a.length, b.length); i++) {
      if (!equals(a[i], b[i], limits)) return order(a[i], b[i], limits);
    }
    return a.length - b.length;
  });
}

/** `item in container`. */
export function contains(container: Value, item: Value, limits: Limits): boolean {
  limits.read(container);
  if (typeof container === "string") {
    if (typeof item === "string") return container.includes(item);
    return fail(`expected a str before \`in\` a str, got ${typeOf(defined(item))}`);
  }
  if (container instanceof Dict) return container.get(item) !== undefined;
  if (container instanceof DictView && container.kind === "dict_keys") {
    return container.items.some((key) => equals(key, item, limits));
  }
  const elements = elementsOf(container);
  if (elements === undefined) return fail(`cannot look into ${typeOf(container)} with \`in\``);
  return elements.some((element) => {
    limits.step();
    return equals(element, item, limits);
  });
}

export function compare(
  operator: CompareOperator,
  left: Value,
  right: Value,
  limits: Limits,
): boolean {
  switch (operator) {
    case "==":
      return equals(left, right, limits);
    case "!=":
      return !equals(left, right, limits);
    case "in":
      return contains(right, left, limits);
    case "not in":
      return !contains(right, left, limits);
    case "<":
      return order(left, right, limits) < 0;
    case "<=":
      return order(left, right, limits) <= 0;
    case ">":
      return order(left, right, limits) > 0;
    case ">=":
      return order(left, right, limits) >= 0;
  }
}
