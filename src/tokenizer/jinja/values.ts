/**
 * The values that templates compute with: Python's, in the nearest types of JavaScript. An int is a
 * bigint, a float a number, None is null, a list an array (never changed: the sandbox of
 * transformers allows no method that does).
 */
import { charactersOf, lengthOf } from "./characters.js";
import { fail } from "./failure.js";

export type Value =
  | (null | boolean | bigint | number | string)
  | readonly Value[]
  | (Undefined | Tuple | Dict | DictView | Range | Lazy | Callable | Namespace | Fields);

/** A missing value. Prints as nothing, is false and empty, and fails in every other use. */
export class Undefined {
  /** Why it is missing, for the message. */
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

export class Tuple {
  readonly items: readonly Value[];
  /** Names of the items of a named tuple. */
  readonly names: readonly string[];

  constructor(items: readonly Value[], names: readonly string[] = []) {
    this.items = items;
    this.names = names;
  }
}

/** A mapping that keeps the order of its keys. */
export class Dict {
  readonly #entries = new Map<unknown, [Value, Value]>();

  constructor(entries: Iterable<readonly [Value, Value]> = []) {
    for (const [key, value] of entries) this.set(key, value);
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: Value): Value | undefined {
    return this.#entries.get(hashOf(key))?.[1];
  }

  /** An existing equal key keeps its place and its form. */
  set(key: Value, value: Value): void {
    const hash = hashOf(key);
    const known = this.#entries.get(hash);
    this.#entries.set(hash, [known === undefined ? key : known[0], value]);
  }

  entries(): [Value, Value][] {
    return [...this.#entries.values()];
  }

  keys(): Value[] {
    return this.entries().map(([key]) => key);
  }
}

/** What `dict.keys()`, `.values()` and `.items()` return. */
export class DictView {
  readonly kind: "dict_keys" | "dict_values" | "dict_items";
  readonly #dict: Dict;

  constructor(kind: DictView["kind"], dict: Dict) {
    this.kind = kind;
    this.#dict = dict;
  }

  get size(): number {
    return this.#dict.size;
  }

  get items(): Value[] {
    const entries = this.#dict.entries();
    if (this.kind === "dict_items") return entries.map((entry) => new Tuple(entry));
    return entries.map(([key, value]) => (this.kind === "dict_keys" ? key : value));
  }
}

/** The most elements of a range, as in Jinja's sandbox. */
const MAX_RANGE = 100_000;

export class Range {
  readonly start: number;
  readonly stop: number;
  readonly step: number;
  readonly length: number;

  constructor(start: number, stop: number, step: number) {
    if (step === 0) fail("range: expected a step other than 0");
    this.start = start;
    this.stop = stop;
    this.step = step;
    this.length = Math.max(0, Math.ceil((stop - start) / step));
    if (this.length > MAX_RANGE) {
      fail(`range: expected at most ${MAX_RANGE} elements, got ${this.length}`);
    }
  }

  /** The element at a place, which counts from the end if negative. */
  at(index: number): bigint | undefined {
    const place = index < 0 ? index + this.length : index;
    if (place < 0 || place >= this.length) return undefined;
    return BigInt(this.start + place * this.step);
  }

  get items(): bigint[] {
    return Array.from({ length: this.length }, (_, i) => BigInt(this.start + i * this.step));
  }
}

/** A generator: its elements can be read once. */
export class Lazy {
  readonly elements: Iterator<Value>;

  constructor(elements: Iterable<Value>) {
    this.elements = elements[Symbol.iterator]();
  }
}

/** The arguments of a call. */
export interface Arguments {
  readonly positional: readonly Value[];
  readonly named: ReadonlyMap<string, Value>;
}

export class Callable {
  readonly name: string;
  readonly call: (args: Arguments) => Value;
  /** Its attributes, as macros have. */
  readonly fields: ReadonlyMap<string, Value>;

  constructor(
    name: string,
    call: Callable["call"],
    fields: ReadonlyMap<string, Value> = new Map(),
  ) {
    this.name = name;
    this.call = call;
    this.fields = fields;
  }
}

/** The result of `namespace()`: the only object with attributes that a template can set. */
export class Namespace {
  readonly fields: Map<string, Value>;

  constructor(fields: Map<string, Value>) {
    this.fields = fields;
  }
}

/** An object of Jinja's own, such as `loop`: its attributes are computed when read. */
export class Fields {
  readonly typeName: string;
  readonly get: (name: string) => Value | undefined;
  /** What a call of the object does, if it can be called. */
  readonly call: Callable["call"] | undefined;

  constructor(typeName: string, get: Fields["get"], call?: Callable["call"]) {
    this.typeName = typeName;
    this.get = get;
    this.call = call;
  }
}

export const isList = (value: Value): value is readonly Value[] => Array.isArray(value);

/** The most values in a key: nested tuples could be endless. */
const MAX_KEY = 1000;

/** A key that is the same for equal values. Fails for values that Python cannot hash. */
export function hashOf(value: Value, count = { values: 0 }): unknown {
  if (++count.values > MAX_KEY) fail(`expected a key of at most ${MAX_KEY} values`);
  if (typeof value === "boolean") return BigInt(value);
  if (typeof value === "number") return Number.isInteger(value) ? BigInt(value) : value;
  if (value instanceof Tuple) {
    const items = value.items.map((item) => `${typeof item} ${String(hashOf(item, count))}`);
    return `\0(${items.join("\0,")})`;
  }
  if (isList(value) || value instanceof Dict) fail(`expected a hashable key, got ${typeOf(value)}`);
  if (value instanceof Undefined) return Undefined;
  return value;
}

/** Python's name of the type. */
export function typeOf(value: Value): string {
  if (value === null) return "NoneType";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "bigint") return "int";
  if (typeof value === "number") return "float";
  if (typeof value === "string") return "str";
  if (isList(value)) return "list";
  if (value instanceof Undefined) return "Undefined";
  if (value instanceof Tuple) return "tuple";
  if (value instanceof Dict) return "dict";
  if (value instanceof DictView) return value.kind;
  if (value instanceof Range) return "range";
  if (value instanceof Lazy) return "generator";
  if (value instanceof Callable) return "function";
  return value instanceof Namespace ? "Namespace" : value.typeName;
}

/** The number of elements; undefined for values without a length. */
export function sizeOf(value: Value): number | undefined {
  if (typeof value === "string") return lengthOf(value);
  if (isList(value)) return value.length;
  if (value instanceof Tuple) return value.items.length;
  if (value instanceof Range) return value.length;
  if (value instanceof Dict || value instanceof DictView) return value.size;
  return value instanceof Undefined ? 0 : undefined;
}

/** The elements that a loop sees, in a list; undefined for values that are not iterable. */
export function elementsOf(value: Value): readonly Value[] | undefined {
  if (isList(value)) return value;
  if (typeof value === "string") return charactersOf(value);
  if (value instanceof Dict) return value.keys();
  if (value instanceof Tuple || value instanceof DictView || value instanceof Range) {
    return value.items;
  }
  if (value instanceof Lazy) return remaining(value);
  return value instanceof Undefined ? [] : undefined;
}

function remaining({ elements }: Lazy): Value[] {
  const items: Value[] = [];
  for (let next = elements.next(); next.done !== true; next = elements.next()) {
    items.push(next.value);
  }
  return items;
}

/** The elements that a loop sees. Fails for values that are not iterable. */
export function iterate(value: Value): readonly Value[] {
  return elementsOf(value) ?? fail(`expected something to iterate over, got ${typeOf(value)}`);
}

export function isTrue(value: Value): boolean {
  if (value === null || value instanceof Undefined) return false;
  if (typeof value === "object" && !isList(value)) {
    return value instanceof Lazy || sizeOf(value) !== 0;
  }
  return isList(value) ? value.length > 0 : Boolean(value);
}

/** A value that must be defined. Fails for Undefined. */
export function defined(value: Value): Exclude<Value, Undefined> {
  return value instanceof Undefined ? fail(value.reason) : value;
}
