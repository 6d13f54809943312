/** Reads hyperparameters from GGUF metadata, and knows which keys were not read. */
import { describeValue } from "../describe.js";
import { quote } from "../errors.js";
import type { Problems } from "./problems.js";

/** Dims above this are refused: they are damage, not models. */
const MAX_DIM = 1 << 20;

/** Reads fields and collects every problem. */
export class MetadataReader {
  readonly #metadata: ReadonlyMap<string, unknown>;
  readonly #problems: Problems;
  readonly #read = new Set<string>();

  constructor(metadata: ReadonlyMap<string, unknown>, problems: Problems) {
    this.#metadata = metadata;
    this.#problems = problems;
  }

  /** The value, which then counts as read; undefined if the key is missing. */
  value(key: string): unknown {
    this.#read.add(key);
    return this.#metadata.get(key);
  }

  /**
   * The value as a number; `otherwise` if the key is missing; NaN and a problem for anything else.
   * Here and below NaN, in arguments too, stands for a value whose problem was already reported.
   */
  number(key: string, otherwise?: number): number {
    const value = this.value(key) ?? otherwise;
    if (Number.isNaN(otherwise) && !this.#metadata.has(key)) return Number.NaN;
    if (typeof value === "number" && Number.isFinite(value)) return value;
    return this.#refuse(`${key}: expected a number, got ${describeValue(value)}`);
  }

  /** As `number`, but positive. */
  positive(key: string, otherwise?: number): number {
    return this.checkPositive(key, this.number(key, otherwise));
  }

  /** As `number`, but at least 0. */
  notNegative(key: string): number {
    const value = this.number(key);
    return value < 0 ? this.#refuse(`${key}: expected at least 0, got ${value}`) : value;
  }

  /** The value; NaN and a problem unless it is positive. */
  checkPositive(what: string, value: number): number {
    if (!(value <= 0)) return value;
    return this.#refuse(`${what}: expected a positive number, got ${value}`);
  }

  #refuse(message: string): number {
    this.#problems.invalid(message);
    return Number.NaN;
  }

  /** The value as a dimension: an integer from 1 to `most`. */
  dim(key: string, otherwise?: number, most: number = MAX_DIM): number {
    return this.#checkDim(key, this.number(key, otherwise), most);
  }

  /** A dimension, or one for each of `layers` layers, all of them equal. */
  layersDim(key: string, layers: number, otherwise?: number): number {
    const values = numbersOf(this.value(key));
    if (values === undefined) return this.dim(key, otherwise);
    if (values.length !== layers) {
      if (Number.isNaN(layers)) return Number.NaN;
      const expected = `${layers} values, one for each layer`;
      return this.#refuse(`${key}: expected ${expected}, got ${values.length}`);
    }
    if (!every<number | bigint>(values, (value) => value === values[0])) {
      const got = describeValue(values);
      this.#problems.unsupported(`${key}: expected the same for every layer, got ${got}`);
    }
    return this.#checkDim(key, Number(values[0]), MAX_DIM);
  }

  #checkDim(key: string, value: number, most: number): number {
    const isDim = Number.isInteger(value) && value >= 1 && value <= most;
    if (isDim || Number.isNaN(value)) return value;
    return this.#refuse(`${key}: expected an integer from 1 to ${most}, got ${value}`);
  }

  /** The value as a text; `otherwise` if the key is missing; else undefined and a problem. */
  text(key: string, otherwise: string): string | undefined {
    const value = this.value(key) ?? otherwise;
    if (typeof value === "string") return value;
    this.#problems.invalid(`${key}: expected a text, got ${describeValue(value)}`);
    return undefined;
  }

  /**
   * Reports a value other than these: it asks for a feature that this engine lacks. A key may be
   * missing. Numbers may have been rounded to f32.
   */
  expect(key: string, values: readonly (number | string | boolean)[]): void {
    const value = this.value(key);
    if (value !== undefined) this.expectValue(key, value, values);
  }

  /** The same for a value that was read already. */
  expectValue(key: string, value: unknown, values: readonly (number | string | boolean)[]): void {
    const found = typeof value === "number" ? Math.fround(value) : value;
    const wanted = values.map((each) => (typeof each === "number" ? Math.fround(each) : each));
    // NaN was reported already.
    if (wanted.some((each) => each === found || Number.isNaN(each))) return;
    const expected = values.join(" or ");
    this.#problems.unsupported(`${key}: expected ${expected}, got ${describeValue(value)}`);
  }

  /** Reports a value that is not an off switch (0, false, empty, "none"). */
  expectOff(key: string): void {
    const value = this.value(key);
    if (value === undefined || isOff(value)) return;
    this.#problems.unsupported(`${key}: expected no such key, got ${describeValue(value)}`);
  }

  /** Reports a value other than 0 or a number of at least `least`. A missing key is fine. */
  expectOffOrAtLeast(key: string, least: number): void {
    const value = this.value(key);
    if (value === undefined || value === 0 || Number.isNaN(least)) return;
    if (typeof value === "number" && value >= least) return;
    const expected = `0 or at least ${least}`;
    this.#problems.unsupported(`${key}: expected ${expected}, got ${describeValue(value)}`);
  }

  /**
   * Reports every key with the prefix that was not read and whose value is not an off switch (0,
   * false, empty, "none"): it asks for a feature that this engine lacks.
   */
  expectNoOther(prefix: string): void {
    for (const [key, value] of this.#metadata) {
      if (!key.startsWith(prefix) || this.#read.has(key) || isOff(value)) continue;
      if (this.#problems.areTooMany) return;
      this.#problems.unsupported(
        `${quote(key)}: expected no such key, got ${describeValue(value)}`,
      );
    }
  }
}

/** Whether a value switches its key's feature off. */
function isOff(value: unknown): boolean {
  if (typeof value !== "object") return !value || value === "none";
  return every(value as ArrayLike<unknown>, isOff);
}

/** `every` without a copy, for arrays of any length. */
function every<T>(items: ArrayLike<T>, holds: (item: T) => boolean): boolean {
  for (let i = 0; i < items.length; i++) if (!holds(items[i])) return false;
  return true;
}

/** The value if it is an array of numbers. */
function numbersOf(value: unknown): ArrayLike<number | bigint> | undefined {
  return ArrayBuffer.isView(value) ? (value as unknown as ArrayLike<number | bigint>) : undefined;
}
