/** Seeded random numbers whose state can be saved: sfc32, the same in every runtime. */

/** The state of a source: four words of 32 bits. */
export type RandomState = readonly [number, number, number, number];

/** FNV-1a of a text's UTF-8 bytes and a start: 32 bits. */
export function hashText(text: string, start = 0x811c9dc5): number {
  let hash = start;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** Chris Doty-Humphrey's sfc32 (PractRand): a counter and three mixed words. */
export class Random {
  #a = 0;
  #b = 0;
  #c = 0;
  #counter = 1;

  /**
   * The source of a seed, an integer in [0, 2^53), and a purpose: sources of one seed for different
   * purposes are independent.
   */
  static of(seed: number, purpose: string): Random {
    const random = new Random([hashText(purpose), seed >>> 0, Math.floor(seed / 2 ** 32), 1]);
    // The generator's author discards this many numbers after seeding.
    for (let i = 0; i < 15; i++) random.uint32();
    return random;
  }

  /** Continues from an earlier `state`. */
  constructor([a, b, c, counter]: RandomState) {
    this.#a = a | 0;
    this.#b = b | 0;
    this.#c = c | 0;
    this.#counter = counter | 0;
  }

  /** The state to continue from, plain JSON. */
  state(): RandomState {
    return [this.#a >>> 0, this.#b >>> 0, this.#c >>> 0, this.#counter >>> 0];
  }

  /** The next 32 bits. */
  uint32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** A uniform number in [0, 1), a multiple of 2^-53. */
  uniform(): number {
    const high27 = this.uint32() >>> 5;
    return (high27 * 2 ** 26 + (this.uint32() >>> 6)) * 2 ** -53;
  }

  /** A uniform integer in [0, count), count at most 2^32; without bias. */
  below(count: number): number {
    const end = 2 ** 32 - (2 ** 32 % count);
    let word = this.uint32();
    while (word >= end) word = this.uint32();
    return word % count;
  }

  /**
   * An approximately normal number of standard deviation 1: the sum of 12 uniform ones less 6.
   * Runtimes may differ in the last bit of a logarithm, but not in sums; tails end at 6.
   */
  normal(): number {
    let sum = 0;
    for (let i = 0; i < 12; i++) sum += this.uniform();
    return sum - 6;
  }

  /** Puts the elements in a random order, in place: Fisher and Yates. */
  shuffle(list: Uint32Array): void {
    for (let i = list.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [list[i], list[j]] = [list[j], list[i]];
    }
  }
}
