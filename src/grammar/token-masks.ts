/**
 * Which tokens may follow a text. Most verdicts depend only on the state at the top of a stack, so
 * they are kept for each state; what returns to the stack below is looked at for each stack.
 */
import { type Automaton, type Configuration, DEAD, type Frame, UNKNOWN } from "./automaton.js";
import type { TokenOrder } from "./token-order.js";

/** What can be said of the tokens if only the top of a stack is known. */
interface TopMask {
  /** The tokens that may follow: bit t % 32 of element t / 32 for token t, or a list of few. */
  readonly bits: Uint32Array | undefined;
  readonly few: Uint32Array | undefined;
  /** Beginnings of tokens after which the text has returned to the frame below. */
  readonly returns: readonly Beginning[];
}

/** The first so many bytes of a token, which those after it in order may have, too. */
interface Beginning {
  /** The token's place in the order. */
  readonly first: number;
  readonly length: number;
}

/** Masks of configurations, and of tops with many tokens, that are kept: 19 kB each for PLM. */
const MOST_MASKS = 32;
const MOST_TOPS = 128;

/** Tokens of a mask that is kept as a list. */
const FEW = 256;

export class TokenMasks {
  readonly #automaton: Automaton;
  readonly #order: TokenOrder;
  /** By state and counter; those with bits apart, the oldest first. */
  readonly #lists = new Map<string, TopMask>();
  readonly #tops = new Map<string, TopMask>();
  /** The bottom of stacks of which only the top is known. */
  readonly #unknown: Frame;
  /** Masks of configurations, the longest unused first. */
  readonly #recent = new Map<Configuration, Uint32Array>();
  /** The configuration after each number of bytes of a token: its id. */
  readonly #path: Int32Array;

  constructor(automaton: Automaton, order: TokenOrder) {
    this.#automaton = automaton;
    this.#order = order;
    this.#unknown = automaton.newBottom();
    this.#path = new Int32Array(order.maxBytes + 1);
  }

  /** The tokens that may follow; bit t % 32 of element t / 32 is for token t. */
  maskOf(configuration: Configuration): Uint32Array {
    const mask = this.#recent.get(configuration) ?? this.#compute(configuration);
    this.#recent.delete(configuration);
    this.#recent.set(configuration, mask);
    if (this.#recent.size > MOST_MASKS) this.#recent.delete(this.#recent.keys().next().value!);
    return mask;
  }

  #compute(configuration: Configuration): Uint32Array {
    const bits = this.#newBits();
    for (const frame of configuration.frames) {
      // What is known of a counter is known with the frame that counts.
      const counter = this.#automaton.table.countedLike(frame.parent!.state, this.#order.maxBytes);
      const top = this.#topMask(frame, counter);
      if (top.few !== undefined) for (const token of top.few) bits[token >> 5] |= 1 << (token & 31);
      else for (let i = 0; i < bits.length; i++) bits[i] |= top.bits![i];
      const below = counter === undefined ? frame.parent! : frame.parent!.parent!;
      if (below.parent === undefined) continue;
      const returned = this.#automaton.returnedTo(below);
      for (const beginning of top.returns) this.#walk(beginning, returned, bits);
    }
    return bits;
  }

  #newBits(): Uint32Array {
    return new Uint32Array((this.#order.vocabSize + 31) >> 5);
  }

  #topMask({ state }: Frame, counter: number | undefined): TopMask {
    const key = `${state},${counter}`;
    const known = this.#lists.get(key) ?? this.#tops.get(key);
    if (known !== undefined) return known;
    const bits = this.#newBits();
    const returns: Beginning[] = [];
    const automaton = this.#automaton;
    const below = counter === undefined ? this.#unknown : automaton.frame(counter, this.#unknown);
    const start = automaton.configurationOf([automaton.frame(state, below)]);
    this.#walk({ first: 0, length: 0 }, start, bits, returns);
    const few = listOf(bits, FEW);
    const top = { bits: few === undefined ? bits : undefined, few, returns };
    (few === undefined ? this.#tops : this.#lists).set(key, top);
    if (this.#tops.size > MOST_TOPS) this.#tops.delete(this.#tops.keys().next().value!);
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
    const { tokens, bytes, offsets, shared } = this.#order;
    const path = this.#path;
    let { steps, ends } = this.#automaton;
    path[length] = start.id;
    let depth = length;
    for (let i = first; ; ) {
      const begin = offsets[i];
      const size = offsets[i + 1] - begin;
      let at = path[depth];
      while (depth < size) {
        const byte = bytes[begin + depth++];
        let after = steps[at * 256 + byte];
        if (after === UNKNOWN) {
          after = this.#automaton.step(at, byte);
          ({ steps, ends } = this.#automaton);
        }
        at = after;
        if (at === DEAD) break;
        path[depth] = at;
        if (ends[at] === 1 && returns !== undefined) {
          const goesOn = depth < size || shared[i + 1] >= depth;
          if (goesOn) returns.push({ first: i, length: depth });
        }
      }
      if (at !== DEAD) bits[tokens[i] >> 5] |= 1 << (tokens[i] & 31);
      // After a dead end, all tokens that begin as far are dead, too.
      const alive = at === DEAD ? depth - 1 : Infinity;
      do i++;
      while (i < tokens.length && shared[i] > alive);
      if (i === tokens.length || shared[i] < length) return;
      depth = shared[i];
    }
  }
}

/** The numbers of the bits that are set; undefined if these are more than `most`. */
function listOf(bits: Uint32Array, most: number): Uint32Array | undefined {
  const found: number[] = [];
  for (let i = 0; i < bits.length && found.length <= most; i++) {
    for (let rest = bits[i]; rest !== 0; rest &= rest - 1) {
      found.push(32 * i + 31 - Math.clz32(rest & -rest));
    }
  }
  return found.length > most ? undefined : Uint32Array.from(found);
}
