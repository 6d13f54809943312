/** Matches the arguments of a call with parameters. */

import { fail } from "./failure.js";
import { type Arguments, defined, typeOf, type Value } from "./values.js";

/** Values by the place of their parameter; undefined if not given. */
export type Bound = readonly (Value | undefined)[];

/**
 * The arguments of `name` by place. `parameters` are names with spaces between; those with a "!"
 * are required. Fails for arguments that are missing, unknown or given twice.
 */
export function bind(name: string, parameters: string, args: Arguments): Bound {
  const names = parameters.split(" ").filter((parameter) => parameter !== "");
  if (args.positional.length > names.length) {
    fail(`${name}: expected at most ${names.length} arguments, got ${args.positional.length}`);
  }
  const bound: (Value | undefined)[] = names.map((_, i) => args.positional[i]);
  const plain = names.map((parameter) => parameter.replace("!", ""));
  for (const [key, value] of args.named) {
    const place = plain.indexOf(key);
    if (place < 0) fail(`${name}: the argument "${key}" is unknown or not supported`);
    if (bound[place] !== undefined) fail(`${name}: got the argument "${key}" twice`);
    bound[place] = value;
  }
  names.forEach((parameter, i) => {
    if (parameter.endsWith("!") && bound[i] === undefined) {
      fail(`${name}: expected the argument "${plain[i]}"`);
    }
  });
  return bound;
}

/** An integer argument as a number. Fails for anything else. */
export function toInteger(name: string, value: Value): number {
  const number = defined(value);
  if (typeof number === "bigint" || typeof number === "boolean") return Number(number);
  return fail(`${name}: expected an integer, got ${typeOf(number)}`);
}

export function toStr(name: string, value: Value): string {
  const text = defined(value);
  return typeof text === "string" ? text : fail(`${name}: expected a str, got ${typeOf(text)}`);
}

/** An optional argument; None counts as not given. */
export function optional<T>(value: Value | undefined, read: (value: Value) => T): T | undefined {
  return value === undefined || value === null ? undefined : read(value);
}
