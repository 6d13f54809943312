/**
 * The baseline: a byte n-gram model with modified Kneser-Ney smoothing, interpolated (Chen and
 * Goodman 1999).
 */
import { type NgramLevel, ngramLevels, type SortedText } from "./ngrams.js";

/** Discounts if the counts give none: those of n-grams counted 0, 1, 2, 3 and more times. */
const USUAL_DISCOUNTS: readonly number[] = [0, 0.75, 0.75, 0.75];

/**
 * The discounts of n-grams counted 0, 1, 2, 3 and more times, which leave probability for unseen
 * ones; computed from the numbers of n-grams counted once, twice, three and four times.
 */
export function discountsOf(counts: ArrayLike<number>): number[] {
  const n = [0, 0, 0, 0, 0];
  for (let i = 0; i < counts.length; i++) if (counts[i] <= 4) n[counts[i]]++;
  const share = n[1] / (n[1] + 2 * n[2]);
  return USUAL_DISCOUNTS.map((usual, count) => {
    const discount = count === 0 ? 0 : count - ((count + 1) * share * n[count + 1]) / n[count];
    return count === 0 || (discount > 0 && discount < count) ? discount : usual;
  });
}

/** A model of bytes; each has a probability given up to `order` bytes before it. */
export class KneserNey {
  readonly order: number;
  readonly #levels: readonly NgramLevel[];
  /** Discounts by the length of n-grams. */
  readonly #discounts: readonly (readonly number[])[];

  /** `order` is less than the depth to which the learnt text is sorted. */
  constructor(learnt: SortedText, order: number) {
    this.order = order;
    this.#levels = ngramLevels(learnt, order + 1);
    this.#discounts = this.#levels.map(({ counts }) => discountsOf(counts));
  }

  /** Bits of a text, its first byte predicted without context. */
  bits(text: Uint8Array): number {
    let contexts = [0];
    let bits = 0;
    for (const symbol of text) {
      bits -= Math.log2(this.#probability(contexts, symbol));
      contexts = this.#append(contexts, symbol);
    }
    return bits;
  }

  /** The probability of each of the 256 bytes after a text. */
  probabilities(text: Uint8Array): Float64Array {
    let contexts = [0];
    for (const symbol of text) contexts = this.#append(contexts, symbol);
    return Float64Array.from({ length: 256 }, (_, symbol) => this.#probability(contexts, symbol));
  }

  /**
   * `contexts` are the n-grams at the end of a text: of 0, 1, 2, ... bytes, as far as they were
   * learnt. The discounts of longer ones give their weight to the estimate of shorter ones.
   */
  #probability(contexts: readonly number[], symbol: number): number {
    let probability = 1 / 256;
    contexts.forEach((context, size) => {
      const { firsts } = this.#levels[size];
      const { symbols, counts } = this.#levels[size + 1];
      const discounts = this.#discounts[size + 1];
      let total = 0;
      let taken = 0;
      let own = 0;
      for (let i = firsts[context]; i < firsts[context + 1]; i++) {
        const discount = discounts[Math.min(counts[i], 3)];
        total += counts[i];
        taken += discount;
        if (symbols[i] === symbol) own = counts[i] - discount;
      }
      if (total > 0) probability = (own + taken * probability) / total;
    });
    return probability;
  }

  /** The contexts of a text with one more byte. */
  #append(contexts: readonly number[], symbol: number): number[] {
    const next = [0];
    for (let size = 0; size < Math.min(contexts.length, this.order); size++) {
      const found = this.#find(size, contexts[size], symbol);
      if (found === undefined) break;
      next.push(found);
    }
    return next;
  }

  /** The n-gram that extends one of `size` bytes by a byte. */
  #find(size: number, ngram: number, symbol: number): number | undefined {
    const { firsts } = this.#levels[size];
    const { symbols } = this.#levels[size + 1];
    let low = firsts[ngram];
    const end = firsts[ngram + 1];
    for (let high = end; low < high; ) {
      const middle = (low + high) >>> 1;
      if (symbols[middle] < symbol) low = middle + 1;
      else high = middle;
    }
    return low < end && symbols[low] === symbol ? low : undefined;
  }
}
