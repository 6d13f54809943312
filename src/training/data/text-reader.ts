/** Reads one text repeatedly, its documents in another order every time. */
import { PlmError } from "../../errors.js";
import type { TokenizedText } from "./corpus.js";
import { Random } from "./random.js";

/** A reader's state, plain JSON. */
export interface Reading {
  /** How many times the whole text was read. */
  readonly epoch: number;
  /** Completed stretches of this epoch. */
  readonly stretch: number;
  /** Tokens taken from the current stretch. */
  readonly offset: number;
  /** The text's hash. */
  readonly fingerprint: number;
}

/** Consecutive tokens of a text: inputs, whose targets are the tokens after them. */
export interface Piece {
  /** Index of the first input. */
  readonly from: number;
  /** Inputs; the last one's target is at from + count. */
  readonly count: number;
}

/**
 * Returns every token that has a target once per epoch: all except the end-of-text tokens. The
 * order of an epoch depends only on the seed, the text's name and the epoch's number. Documents are
 * shuffled; those longer than `longest` tokens are cut into stretches of that length, at other
 * places every epoch.
 */
export class TextReader {
  readonly text: TokenizedText;
  readonly #seed: number;
  readonly #longest: number;
  #epoch = 0;
  #stretch = 0;
  #offset = 0;
  /** First input and count of every stretch, in the order of the epoch. */
  #firsts: Uint32Array = new Uint32Array(0);
  #counts: Uint32Array = new Uint32Array(0);

  /** Throws INVALID_ARGUMENT for a text in which no token has a target. */
  constructor(text: TokenizedText, seed: number, longest: number) {
    this.text = text;
    this.#seed = seed;
    this.#longest = longest;
    this.#order();
    if (this.#counts.length > 0) return;
    throw new PlmError("INVALID_ARGUMENT", `text ${text.name}: expected tokens, got none`);
  }

  /** The next piece, of at most `most` inputs. */
  take(most: number): Piece {
    const from = this.#firsts[this.#stretch] + this.#offset;
    const left = this.#counts[this.#stretch] - this.#offset;
    const count = Math.min(most, left);
    if (count < left) this.#offset += count;
    else this.#nextStretch();
    return { from, count };
  }

  /** The reading for `resume` to continue from. */
  reading(): Reading {
    const { fingerprint } = this.text;
    return { epoch: this.#epoch, stretch: this.#stretch, offset: this.#offset, fingerprint };
  }

  /** Continues from a reading of the same text; returns false, unchanged, if the text differs. */
  resume({ epoch, stretch, offset, fingerprint }: Reading): boolean {
    if (fingerprint !== this.text.fingerprint) return false;
    this.#epoch = epoch;
    this.#stretch = stretch;
    this.#offset = offset;
    this.#order();
    return true;
  }

  #nextStretch(): void {
    this.#offset = 0;
    this.#stretch++;
    if (this.#stretch < this.#counts.length) return;
    this.#stretch = 0;
    this.#epoch++;
    this.#order();
  }

  /** Lays out the epoch. */
  #order(): void {
    const random = Random.of(this.#seed, `${this.text.name} ${this.#epoch}`);
    const stretches = this.#cut(random);
    const order = Uint32Array.from({ length: stretches.length / 2 }, (_, i) => i);
    random.shuffle(order);
    this.#firsts = order.map((i) => stretches[2 * i]);
    this.#counts = order.map((i) => stretches[2 * i + 1]);
  }

  /** First input and count of every stretch, in the order of the text. */
  #cut(random: Random): number[] {
    const stretches: number[] = [];
    let first = 0;
    for (const end of this.text.ends) {
      const inputs = end - 1 - first;
      let count = inputs <= this.#longest ? inputs : 1 + random.below(this.#longest);
      for (let done = 0; done < inputs; done += count, count = this.#longest) {
        count = Math.min(count, inputs - done);
        stretches.push(first + done, count);
      }
      first = end;
    }
    return stretches;
  }
}
