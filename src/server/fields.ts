/** The fields of a request, read one by one, so that none is overlooked. */
import { describeValue, kindOf } from "../describe.js";
import { quote } from "../errors.js";
import { badField, HttpError } from "./http-error.js";

/** An object of a request. A field that is null counts as missing. */
export class Fields {
  /** The request's names of the library's options, for messages. */
  readonly names: Map<string, string>;
  readonly #values: ReadonlyMap<string, unknown>;
  readonly #path: string;
  readonly #read = new Set<string>();

  /** Throws HttpError 400 for what is no object. `path` is its place in the request. */
  constructor(value: unknown, path = "", names: Map<string, string> = new Map()) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw badField(path === "" ? "body" : path, "a JSON object", kindOf(value));
    }
    this.#values = new Map(Object.entries(value));
    this.#path = path;
    this.names = names;
  }

  /** The place of a field in the request. */
  pathOf(name: string): string {
    return this.#path === "" ? name : `${this.#path}.${name}`;
  }

  /** A field's value; undefined if it is missing or null. */
  take(name: string): unknown {
    this.#read.add(name);
    return this.#values.get(name) ?? undefined;
  }

  /** A field's value and name: of several that mean the same, the first that is there. */
  takeAny(...names: readonly string[]): [value: unknown, name: string] {
    const values = names.map((name) => this.take(name));
    const i = Math.max(
      0,
      values.findIndex((value) => value !== undefined),
    );
    return [values[i], names[i]];
  }

  text(name: string): string | undefined {
    return this.#typed(name, "string", "a string") as string | undefined;
  }

  flag(name: string, fallback = false): boolean {
    return (this.#typed(name, "boolean", "a boolean") as boolean | undefined) ?? fallback;
  }

  /** An integer of a range; undefined if it is missing. */
  integer(name: string, low: number, high: number = Number.MAX_SAFE_INTEGER): number | undefined {
    const value = this.take(name);
    if (value === undefined) return undefined;
    if (Number.isSafeInteger(value) && (value as number) >= low && (value as number) <= high) {
      return value as number;
    }
    const top = high === Number.MAX_SAFE_INTEGER ? "on" : `to ${high}`;
    throw this.wrong(name, `an integer from ${low} ${top}`);
  }

  /** An array; undefined if it is missing. */
  list(name: string): readonly unknown[] | undefined {
    const value = this.take(name);
    if (value === undefined || Array.isArray(value)) return value;
    throw this.wrong(name, "an array");
  }

  /** An object; undefined if it is missing. */
  fields(name: string): Fields | undefined {
    const value = this.take(name);
    return value === undefined ? undefined : new Fields(value, this.pathOf(name), this.names);
  }

  /** The error of a field that is not as it must be. */
  wrong(name: string, expected: string): HttpError {
    const value = this.#values.get(name);
    const isPlain = ["number", "boolean", "string"].includes(typeof value);
    return badField(this.pathOf(name), expected, isPlain ? describeValue(value) : kindOf(value));
  }

  /** Fields that change nothing. */
  accept(...names: readonly string[]): this {
    for (const name of names) this.#read.add(name);
    return this;
  }

  /** Fields that would change the answer; only these values, which would not, are accepted. */
  acceptOnly(values: Readonly<Record<string, readonly unknown[]>>): this {
    for (const [name, allowed] of Object.entries(values)) {
      const value = this.take(name);
      if (value === undefined || allowed.some((each) => isSame(each, value))) continue;
      const shown = allowed.map((each) => JSON.stringify(each)).join(" or ");
      const expected = allowed.length === 0 ? "no such field: it is not supported" : shown;
      throw this.wrong(name, expected);
    }
    return this;
  }

  /** Throws HttpError 400 for a field that nobody has read. */
  refuseOthers(): void {
    for (const [name, value] of this.#values) {
      if (this.#read.has(name) || value === null) continue;
      const message = `${quote(this.pathOf(name)).slice(1, -1)}: expected a field that is known`;
      throw new HttpError(400, `${message}, got one that is not supported`, {
        param: this.pathOf(name).slice(0, 80),
        code: "unsupported_field",
      });
    }
  }

  #typed(name: string, type: string, expected: string): unknown {
    const value = this.take(name);
    if (value === undefined || typeof value === type) return value;
    throw this.wrong(name, expected);
  }
}

/** Whether two values are the same as JSON; lists and objects only if they are small. */
function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object") return false;
  const isSmall = Object.keys(Object(b)).length <= Object.keys(Object(a)).length;
  return isSmall && JSON.stringify(a) === JSON.stringify(b);
}
