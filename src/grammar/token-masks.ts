/**
 * Which tokens may follow a text. Most verdicts depend only on the state at the top of a stack, so
 * they are kept for each state; what returns to the stack below is looked at for each stack.
 */
import type { Automaton, Configuration, Frame } from "./automaton.js";
import type { TokenOrder } from "./token-order.js";

/** What can be said of the tokens if only the top of a stack is known. */
interface TopMask {
  /** Bit t % 32 of element t / 32 is for token t. */
  readonly bits: Uint32Array;
  /** Beginnings of tokens after which the text has returned to the frame below. */
  readonly returns: readonly Beginning[];
}

/** The first so many bytes of a token, which those after it in order may have, too. */
interface Beginning {
  /** The token's place in the order. */
  readonly first: number;
  readonly length: number;
}

/** Masks of configurations that are kept. */
const MOST_MASKS = 128;

export class TokenMasks {
  readonly #automaton: Automaton;
  readonly #order: TokenOrder;
  readonly #tops = new Map<string, TopMask>();
  /** The bottom of stacks of which only the top is known. */
  readonly #unknown: Frame;
  /** The configurations that have masks, the longest unused first. */
  readonly #recent = new Set<Configuration>();
  /** The configuration after each number of bytes of a token. */
  readonly #path: Configuration[] = [];

  constructor(automaton: Automaton, order: TokenOrder) {
    this.#automaton = automaton;
    this.#order = order;
    this.#unknown = automaton.newBottom();
  }

  /** The tokens that may follow; bit t % 32 of element t / 32 is for token t. */
  maskOf(configuration: Configuration): Uint32Array {
    const mask = configuration.mask ?? this.#compute(configuration);
    this.#recent.delete(configuration);
    this.#recent.add(configuration);
    return mask;
  }

  #compute(configuration: Configuration): Uint32Array {
    const bits = this.#newBits();
    for (const frame of configuration.frames) {
      // What is known of a counter is known with the frame that counts.
      const counter = this.#automaton.table.countedLike(frame.parent!.state, this.#order.maxBytes);
      const top = this.#topMask(frame, counter);
      for (let i = 0; i < bits.length; i++) bits[i] |= top.bits[i];
      const below = counter === undefined ? frame.parent! : frame.parent!.parent!;
      if (below.parent === undefined) continue;
      const returned = this.#automaton.returnedTo(below);
      for (const beginning of top.returns) this.#walk(beginning, returned, bits);
    }
    configuration.mask = bits;
    if (this.#recent.size >= MOST_MASKS) {
      const [oldest] = this.#recent;
      oldest.mask = undefined;
      this.#recent.delete(oldest);
    }
    return bits;
  }

  #newBits(): Uint32Array {
    return new Uint32Array((this.#order.texts.offsets.length + 30) >> 5);
  }

  #topMask({ state }: Frame, counter: number | undefined): TopMask {
    const key = `${state},${counter}`;
    let top = this.#tops.get(key);
    if (top === undefined) {
      const bits = this.#newBits();
      const returns: Beginning[] = [];
      const automaton = this.#automaton;
      const below = counter === undefined ? this.#unknown : automaton.frame(counter, this.#unknown);
      const start = automaton.configurationOf([automaton.frame(state, below)]);
      this.#walk({ first: 0, length: 0 }, start, bits, returns);
      top = { bits, returns };
      this.#tops.set(key, top);
    }
    return top;
  }

  /**
   * Sets the bits of the tokens that begin so, and of which the rest may follow `start`. Collects
   * the longer beginnings after which all may end.
   */
  #walk(
    { first, length }: Beginning,
    start: Configuration,
    bits: Uint32Array,
    returns?: Beginning[],
  ): void {
    const { tokens, shared, texts } = this.#order;
    const { bytes, offsets } = texts;
    const path = this.#path;
    path[length] = start;
    let depth = length;
    for (let i = first; ; ) {
      const token = tokens[i];
      const begin = offsets[token];
      const size = offsets[token + 1] - begin;
      let at: Configuration | null = path[depth];
      let isDead = false;
      while (depth < size && !isDead) {
        const byte = bytes[begin + depth++];
        const known: Configuration | null | undefined = at.next[byte];
        const after: Configuration | null =
          known === undefined ? this.#automaton.step(at, byte) : known;
        isDead = after === null;
        if (after === null) break;
        at = after;
        path[depth] = at;
        const goesOn = depth < size || shared[i + 1] >= depth;
        if (at.ends && goesOn) returns?.push({ first: i, length: depth });
      }
      if (!isDead) bits[token >> 5] |= 1 << (token & 31);
      // After a dead end, all tokens that begin as far are dead, too.
      const alive = isDead ? depth - 1 : Infinity;
      do i++;
      while (i < tokens.length && shared[i] > alive);
      if (i === tokens.length || shared[i] < length) return;
      depth = shared[i];
    }
  }
}
