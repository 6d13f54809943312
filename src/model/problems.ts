/** Collects everything that is wrong with a file, so that one error names it all. */
import { listOf } from "../describe.js";
import { PlmError } from "../errors.js";

/** The most problems that a message names. */
const MOST_NAMED = 100;

/** A file's problems: damage, and sound requests that are not supported. */
export class Problems {
  readonly #invalid: string[] = [];
  readonly #unsupported: string[] = [];

  /** Whether there are more problems than a message names: a hostile file may have any number. */
  get areTooMany(): boolean {
    return this.#invalid.length + this.#unsupported.length > MOST_NAMED;
  }

  /** The file contradicts itself, or lacks something. */
  invalid(message: string): void {
    this.#invalid.push(message);
  }

  /** The file asks for a feature that this engine lacks. */
  unsupported(message: string): void {
    this.#unsupported.push(message);
  }

  /** If there are problems, throws INVALID_FILE, or UNSUPPORTED_FILE if nothing is damaged. */
  throwAny(where: string): void {
    const all = [...this.#invalid, ...this.#unsupported];
    if (all.length === 0) return;
    const code = this.#invalid.length > 0 ? "INVALID_FILE" : "UNSUPPORTED_FILE";
    throw new PlmError(code, `${where}: ${listOf(all, MOST_NAMED, "; ")}`);
  }
}
