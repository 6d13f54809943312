/** Jinja's tests: what may follow `is`. */
import { type Bound, bind } from "./arguments.js";
import { KIND_METHODS } from "./casing.js";
import { compare, contains, equals } from "./compare.js";
import { fail } from "./failure.js";
import type { Limits } from "./limits.js";
import { calculate } from "./operators.js";
import { toText } from "./print.js";
import type { CompareOperator } from "./syntax.js";
import {
  type Arguments,
  Callable,
  Dict,
  DictView,
  elementsOf,
  Fields,
  isList,
  isTrue,
  Lazy,
  Range,
  Tuple,
  Undefined,
  type Value,
} from "./values.js";

interface Predicate {
  readonly parameters: string;
  readonly holds: (value: Value, args: Bound, limits: Limits) => boolean;
}

const predicate = (parameters: string, holds: Predicate["holds"]): Predicate => ({
  parameters,
  holds,
});
const plain = (holds: (value: Value) => boolean): Predicate => predicate("", holds);
const comparing = (operator: CompareOperator): Predicate =>
  predicate("other!", (value, [other], limits) => compare(operator, value, other!, limits));
const ofText = (method: string): Predicate =>
  predicate("", (value, _, limits) => KIND_METHODS.get(method)!(toText(value, limits)));

const isNumber = (value: Value): boolean =>
  typeof value === "bigint" || typeof value === "number" || typeof value === "boolean";
const isSequence = (value: Value): boolean =>
  typeof value === "string" ||
  isList(value) ||
  value instanceof Undefined ||
  value instanceof Tuple ||
  value instanceof Dict ||
  value instanceof Range;

const isCallableObject = (value: Value): boolean =>
  value instanceof Fields && value.call !== undefined;

const isOdd = (value: Value, limits: Limits): boolean =>
  equals(calculate("%", value, 2n, limits), 1n, limits);

const isDivisible = (value: Value, by: Value, limits: Limits): boolean =>
  !isTrue(calculate("%", value, by, limits));

/** `is`: the same object. Equal small values of one type count as the same. */
function isSame(value: Value, other: Value): boolean {
  return value === other;
}

const PREDICATES: ReadonlyMap<string, Predicate> = new Map([
  ["boolean", plain((value) => typeof value === "boolean")],
  [
    "callable",
    plain((v) => v instanceof Callable || v instanceof Undefined || isCallableObject(v)),
  ],
  ["defined", plain((value) => !(value instanceof Undefined))],
  ["divisibleby", predicate("num!", (value, [num], limits) => isDivisible(value, num!, limits))],
  ["escaped", plain(() => false)],
  ["even", predicate("", (value, _, limits) => isDivisible(value, 2n, limits))],
  ["false", plain((value) => value === false)],
  ["float", plain((value) => typeof value === "number")],
  ["in", predicate("seq!", (value, [seq], limits) => contains(seq!, value, limits))],
  ["integer", plain((value) => typeof value === "bigint")],
  ["iterable", plain((value) => value instanceof Lazy || elementsOf(value) !== undefined)],
  ["lower", ofText("islower")],
  ["mapping", plain((value) => value instanceof Dict)],
  ["none", plain((value) => value === null)],
  ["number", plain(isNumber)],
  ["odd", predicate("", (value, _, limits) => isOdd(value, limits))],
  ["sameas", predicate("other!", (value, [other]) => isSame(value, other!))],
  ["sequence", plain((value) => isSequence(value) && !(value instanceof DictView))],
  ["string", plain((value) => typeof value === "string")],
  ["true", plain((value) => value === true)],
  ["undefined", plain((value) => value instanceof Undefined)],
  ["upper", ofText("isupper")],
  ...(["==", "!=", "<", "<=", ">", ">="] as const).map((o) => [o, comparing(o)] as const),
  ...(["eq", "equalto"] as const).map((name) => [name, comparing("==")] as const),
  ...(["lt", "lessthan"] as const).map((name) => [name, comparing("<")] as const),
  ...(["gt", "greaterthan"] as const).map((name) => [name, comparing(">")] as const),
  ["ne", comparing("!=")],
  ["le", comparing("<=")],
  ["ge", comparing(">=")],
]);

export const isPredicate = (name: string): boolean => PREDICATES.has(name);

/** `value is name(...)`. Fails for an unknown name. */
export function holds(name: string, value: Value, args: Arguments, limits: Limits): boolean {
  const found = PREDICATES.get(name);
  if (found === undefined) return fail(`the test "${name}" is unknown or not supported`);
  limits.read(value);
  return found.holds(value, bind(name, found.parameters, args), limits);
}
