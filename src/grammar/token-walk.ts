/** Walks over the tokens of a vocabulary in order, with an automaton beside them. */
import { type Automaton, DEAD, UNKNOWN } from "./automaton.js";
import type { TokenOrder } from "./token-order.js";

/**
 * Where a text returned to the frame below the known top: beginnings of tokens whose last byte
 * comes behind that, each as two numbers, the token's place in the order and the length.
 */
export interface Returns {
  /** By that last byte; undefined where none were collected. */
  readonly lists: (number[] | undefined)[];
  /** Which byte is collected; -1 for all. */
  readonly byte: number;
  /** How many more are collected. */
  left: number;
}

export class TokenWalk {
  readonly #automaton: Automaton;
  readonly #order: TokenOrder;
  /** The configuration after each number of bytes of a token. */
  readonly #path: Int32Array;

  constructor(automaton: Automaton, order: TokenOrder) {
    this.#automaton = automaton;
    this.#order = order;
    this.#path = new Int32Array(order.maxBytes + 1);
  }

  /**
   * Sets the bits of the tokens with the first `length` bytes of the one at `first` in the order,
   * of which the rest may follow configuration `start`.
   */
  walk(first: number, length: number, start: number, bits: Uint32Array, returns?: Returns): void {
    const { tokens, bytes, offsets, shared } = this.#order;
    const path = this.#path;
    let { steps, ends } = this.#automaton;
    path[length] = start;
    let depth = length;
    for (let i = first; ; ) {
      const begin = offsets[i];
      const size = offsets[i + 1] - begin;
      let at = path[depth];
      while (depth < size) {
        const byte = bytes[begin + depth++];
        if (ends[at] === 1 && returns !== undefined) collect(returns, byte, i, depth);
        let after = steps[at * 256 + byte];
        if (after === UNKNOWN) {
          after = this.#automaton.step(at, byte);
          ({ steps, ends } = this.#automaton);
        }
        at = after;
        if (at === DEAD) break;
        path[depth] = at;
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

  /**
   * Sets or clears the bits of the tokens of more than `most` bytes, by whether they may follow
   * configuration `start`; collects returns after more than `most` bytes.
   */
  walkLong(most: number, start: number, bits: Uint32Array, returns?: Returns): void {
    const { tokens, bytes, offsets, shared } = this.#order;
    const path = this.#path;
    path[0] = start;
    /** Bytes that the next token has in common with the last one that was looked at. */
    let known = 0;
    for (let i = 0; i < tokens.length; i++) {
      known = Math.min(known, shared[i]);
      const size = offsets[i + 1] - offsets[i];
      if (size <= most) continue;
      let depth = known;
      let at = path[depth];
      while (depth < size) {
        const byte = bytes[offsets[i] + depth];
        const isLate = depth > most && this.#automaton.ends[at] === 1;
        if (isLate && returns !== undefined) collect(returns, byte, i, depth + 1);
        at = this.#automaton.step(at, byte);
        if (at === DEAD) break;
        path[++depth] = at;
      }
      const bit = 1 << (tokens[i] & 31);
      if (at === DEAD) bits[tokens[i] >> 5] &= ~bit;
      else bits[tokens[i] >> 5] |= bit;
      known = depth;
    }
  }
}

function collect(returns: Returns, byte: number, first: number, length: number): void {
  if ((returns.byte >= 0 && byte !== returns.byte) || returns.left <= 0) return;
  returns.left--;
  const list = returns.lists[byte];
  if (list === undefined) returns.lists[byte] = [first, length];
  else list.push(first, length);
}
