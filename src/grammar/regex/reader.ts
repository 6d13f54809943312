/** A pattern with a position, and the errors of what stands there. */
import { invalidArgument, type PlmError, quote } from "../../errors.js";

export class PatternReader {
  readonly #chars: readonly string[];
  /** What a message says of where the pattern stands, such as " (at #/properties/name)". */
  readonly #place: string;
  #next = 0;

  constructor(pattern: string, place: string) {
    // As the flag `u` has it: a pair of surrogates is one character.
    this.#chars = Array.from(pattern);
    this.#place = place;
  }

  get length(): number {
    return this.#chars.length;
  }

  get position(): number {
    return this.#next;
  }

  get isAtEnd(): boolean {
    return this.#next >= this.#chars.length;
  }

  /** The next character, or that at a distance; "" at the end. */
  peek(distance = 0): string {
    return this.#chars[this.#next + distance] ?? "";
  }

  /** The next character, which is passed; "" at the end. */
  take(): string {
    return this.#chars[this.#next++] ?? "";
  }

  /** Whether a text comes next, which is passed if so. */
  takeText(text: string): boolean {
    const isNext = Array.from(text).every((char, i) => this.peek(i) === char);
    if (isNext) this.#next += text.length;
    return isNext;
  }

  /** The characters that come next and match, at most `most`; they are passed. */
  takeWhile(expected: RegExp, most: number = Number.POSITIVE_INFINITY): string {
    const start = this.#next;
    while (this.#next - start < most && !this.isAtEnd && expected.test(this.peek())) this.#next++;
    return this.#chars.slice(start, this.#next).join("");
  }

  /** Goes back to a position. */
  rewind(position: number): void {
    this.#next = position;
  }

  /** The error of a pattern that should have been without what begins at a position. */
  without(construct: string, position: number = this.#next): PlmError {
    return this.#expected(`a regular expression without ${construct}`, position);
  }

  /** The error of something else than what was expected at a position. */
  invalid(expected: string, position: number = this.#next): PlmError {
    return this.#expected(`${expected} in a regular expression`, position);
  }

  #expected(expected: string, position: number): PlmError {
    const rest = this.#chars.slice(position, position + 20).join("");
    const got = rest === "" ? "its end" : quote(rest);
    const where = `${got} at position ${position}`;
    return invalidArgument("responseFormat", `${expected}${this.#place}`, where);
  }
}
