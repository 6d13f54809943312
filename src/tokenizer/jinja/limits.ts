/** Bounds on a template's work, so that none hangs a program or fills its memory. */
import { fail } from "./failure.js";
import { sizeOf, type Value } from "./values.js";

/** About a second: a step is an operation, an element of a list, or 16 characters of text. */
const MAX_STEPS = 2 ** 23;
/** A level is an expression, statement or value inside another; macros add theirs. */
const MAX_DEPTH = 600;
/** The longest text in UTF-16 units, and the most elements of a list. */
const MAX_LENGTH = 2 ** 22;
const CHARACTERS_A_STEP = 16;

/** Counts the work of one rendering. Every method fails when a bound is exceeded. */
export class Limits {
  #steps = 0;
  #depth = 0;

  /** Counts `steps` operations. */
  step(steps = 1): void {
    this.#steps += steps;
    // Not `>`: a length may be NaN.
    if (!(this.#steps <= MAX_STEPS)) fail(`expected at most ${MAX_STEPS} steps of work, got more`);
  }

  /** Counts a new text, and returns it. */
  text(text: string): string {
    this.reserve(text.length, "characters");
    return text;
  }

  /** Counts a text or list of `length` before it is made. */
  reserve(length: number, unit: "characters" | "elements"): void {
    if (!(length <= MAX_LENGTH)) fail(`expected at most ${MAX_LENGTH} ${unit}, got ${length}`);
    this.step(unit === "characters" ? length / CHARACTERS_A_STEP : length);
  }

  /** Counts the reading of a whole value. */
  read(value: Value): void {
    if (typeof value === "string") this.step(value.length / CHARACTERS_A_STEP);
    else if (typeof value === "object") this.step(sizeOf(value) ?? 0);
  }

  /** Counts a level; `leave` ends it. No need to leave after a failure: it ends the rendering. */
  enter(): void {
    this.#steps++;
    if (++this.#depth > MAX_DEPTH) fail(`expected at most ${MAX_DEPTH} levels of nesting`);
  }

  leave(): void {
    this.#depth--;
  }
}
