/** Everything that is wrong with a file, so that one error names it all. */
import { listOf } from "../describe.js";
import { PlmError } from "../errors.js";

/** The most complaints that a message has. */
const MOST_NAMED = 100;

/** Collects complaints about a file: what is damaged, and what is sound but not supported. */
export class Problems {
  readonly #invalid: string[] = [];
  readonly #unsupported: string[] = [];

  /** Whether there are more complaints than a message has: a hostile file may have any number. */
  get areTooMany(): boolean {
    return this.#invalid.length + this.#unsupported.length > MOST_NAMED;
  }

  /** The file contradicts itself, or lacks something. */
  invalid(message: string): void {
    this.#invalid.push(message);
  }

  /** The file asks for something that this engine does not do. */
  unsupported(message: string): void {
    this.#unsupported.push(message);
  }

  /** Throws INVALID_FILE, or UNSUPPORTED_FILE where nothing is damaged, if there are complaints. */
  throwAny(where: string): void {
    const all = [...this.#invalid, ...this.#unsupported];
    if (all.length === 0) return;
    const code = this.#invalid.length > 0 ? "INVALID_FILE" : "UNSUPPORTED_FILE";
    throw new PlmError(code, `${where}: ${listOf(all, MOST_NAMED, "; ")}`);
  }
}
