/** The tokens of a sequence, and how the row of each was computed. */
import { formOf, phaseOf, RESTORED, rowKind } from "../cache/row-kinds.js";
import type { Form, Phase } from "../model/batch.js";

export class History {
  #tokens: Uint32Array;
  #kinds: Uint8Array;
  #length: number;

  /** Begins with the rows of a saved session. */
  constructor(restored: Uint32Array = new Uint32Array(0)) {
    this.#tokens = restored;
    this.#kinds = new Uint8Array(restored.length).fill(RESTORED);
    this.#length = restored.length;
  }

  get length(): number {
    return this.#length;
  }

  /** The tokens, until the next change. */
  get tokens(): Uint32Array {
    return this.#tokens.subarray(0, this.#length);
  }

  /** The kinds of their rows, until the next change. */
  get kinds(): Uint8Array {
    return this.#kinds.subarray(0, this.#length);
  }

  /** Whether all rows can be computed again. Restored ones come first. */
  get isRepeatable(): boolean {
    return this.#length === 0 || this.#kinds[0] !== RESTORED;
  }

  /** The phase and the form of the row at a position, and where the run of such rows ends. */
  runAt(position: number): { phase: Phase; form: Form; end: number } {
    const kind = this.#kinds[position];
    let end = position + 1;
    while (end < this.#length && this.#kinds[end] === kind) end++;
    return { phase: phaseOf(kind), form: formOf(kind), end };
  }

  /** Adds tokens whose rows were computed in a phase and a form. */
  append(tokens: Uint32Array, phase: Phase, form: Form): void {
    this.adopt(tokens, new Uint8Array(tokens.length).fill(rowKind(phase, form)));
  }

  /** Adds tokens whose rows are of these kinds. */
  adopt(tokens: Uint32Array, kinds: Uint8Array): void {
    const length = this.#length + tokens.length;
    if (length > this.#tokens.length) this.#grow(length);
    this.#tokens.set(tokens, this.#length);
    this.#kinds.set(kinds, this.#length);
    this.#length = length;
  }

  /** Forgets the tokens from a position on. */
  truncate(length: number): void {
    this.#length = length;
  }

  /** A copy. */
  fork(): History {
    const fork = new History();
    fork.#tokens = this.#tokens.slice(0, this.#length);
    fork.#kinds = this.#kinds.slice(0, this.#length);
    fork.#length = this.#length;
    return fork;
  }

  #grow(length: number): void {
    const capacity = Math.max(length, 2 * this.#tokens.length);
    const tokens = new Uint32Array(capacity);
    const kinds = new Uint8Array(capacity);
    tokens.set(this.#tokens);
    kinds.set(this.#kinds);
    [this.#tokens, this.#kinds] = [tokens, kinds];
  }
}
