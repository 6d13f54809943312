/**
 * Which tokens may follow a text. Most verdicts depend only on the state at the top of a stack, so
 * they are kept for each state; what returns to the stack below is looked at for each stack.
 */
import { type Automaton, type Configuration, DEAD, type Frame } from "./automaton.js";
import { Recent } from "./recent.js";
import type { TokenOrder } from "./token-order.js";
import { type Returns, TokenWalk } from "./token-walk.js";

/** What can be said of the tokens if only the top of a stack is known. */
interface Top {
  /** The configuration of a stack of only this top. */
  readonly start: number;
  /** The tokens that may follow: bit t % 32 of element t / 32 for token t, or a list of few. */
  readonly bits: Uint32Array | undefined;
  readonly few: Uint32Array | undefined;
  /** Returns by byte, as they are needed. */
  readonly returns: (readonly number[] | undefined)[];
  /** A top after which the same tokens of up to `same` bytes can follow. */
  readonly like: { readonly top: Top; readonly same: number } | undefined;
}

/** Masks of configurations, and of tops with many tokens, that are kept: 19 kB each for PLM. */
const MOST_MASKS = 32;
const MOST_TOPS = 128;

/** Tokens of a mask that is kept as a list. */
const FEW = 256;

/** Returns of a top that are collected at once, for all bytes. */
const MOST_RETURNS = 30_000;

export class TokenMasks {
  readonly #automaton: Automaton;
  readonly #order: TokenOrder;
  readonly #walk: TokenWalk;
  /** By state and counter; those with bits apart. */
  readonly #lists = new Map<string, Top>();
  readonly #tops = new Recent<string, Top>(MOST_TOPS);
  /** The bottom of stacks of which only the top is known. */
  readonly #unknown: Frame;
  readonly #masks = new Recent<Configuration, Uint32Array>(MOST_MASKS);

  constructor(automaton: Automaton, order: TokenOrder) {
    this.#automaton = automaton;
    this.#order = order;
    this.#walk = new TokenWalk(automaton, order);
    this.#unknown = automaton.newBottom();
  }

  /** The tokens that may follow; bit t % 32 of element t / 32 is for token t. */
  maskOf(configuration: Configuration): Uint32Array {
    let mask = this.#masks.get(configuration);
    if (mask === undefined) {
      mask = this.#compute(configuration);
      this.#masks.set(configuration, mask);
    }
    return mask;
  }

  #compute(configuration: Configuration): Uint32Array {
    const bits = this.#newBits();
    for (const frame of configuration.frames) {
      // What is known of a counter is known with the frame that counts.
      const counter = this.#automaton.table.countedLike(frame.parent!.state, this.#order.maxBytes);
      const top = this.#topOf(frame.state, counter);
      addTo(bits, top);
      const below = counter === undefined ? frame.parent! : frame.parent!.parent!;
      if (below.parent === undefined) continue;
      const returned = this.#automaton.returnedTo(below);
      for (let byte = 0; byte < 256; byte++) {
        const after = this.#automaton.step(returned.id, byte);
        if (after === DEAD) continue;
        const list = this.#returnsOf(top, byte);
        for (let i = 0; i < list.length; i += 2) {
          this.#walk.walk(list[i], list[i + 1], after, bits);
        }
      }
    }
    return bits;
  }

  #newBits(): Uint32Array {
    return new Uint32Array((this.#order.vocabSize + 31) >> 5);
  }

  #topOf(state: number, counter: number | undefined): Top {
    const key = `${state},${counter}`;
    const known = this.#lists.get(key) ?? this.#tops.get(key);
    if (known !== undefined) return known;
    const automaton = this.#automaton;
    const below = counter === undefined ? this.#unknown : automaton.frame(counter, this.#unknown);
    const start = automaton.configurationOf([automaton.frame(state, below)]).id;
    const like = counter === undefined ? undefined : automaton.table.openLike(counter);
    const top = like === undefined ? this.#walkAll(start) : this.#walkLike(start, state, like);
    (top.few === undefined ? this.#tops : this.#lists).set(key, top);
    return top;
  }

  #walkAll(start: number): Top {
    const bits = this.#newBits();
    const returns: Returns = { lists: new Array(256), byte: -1, left: MOST_RETURNS };
    this.#walk.walk(0, 0, start, bits, returns);
    const isWhole = returns.left > 0;
    const lists = Array.from(returns.lists, (list) => (isWhole ? (list ?? []) : undefined));
    return { start, ...shortest(bits), returns: lists, like: undefined };
  }

  /** A top of a counter near its maximum, from that of one that is open: few tokens differ. */
  #walkLike(
    start: number,
    state: number,
    { open, same }: { readonly open: number; readonly same: number },
  ): Top {
    const top = this.#topOf(state, open);
    const bits = this.#newBits();
    addTo(bits, top);
    this.#walk.walkLong(same, start, bits);
    return { start, ...shortest(bits), returns: new Array(256), like: { top, same } };
  }

  /** The beginnings of tokens that return before a byte. */
  #returnsOf({ start, returns, like }: Top, byte: number): readonly number[] {
    let list = returns[byte];
    if (list !== undefined) return list;
    const found: Returns = { lists: new Array(256), byte, left: Infinity };
    if (like === undefined) {
      this.#walk.walk(0, 0, start, this.#newBits(), found);
      list = found.lists[byte] ?? [];
    } else {
      const { top, same } = like;
      this.#walk.walkLong(same, start, this.#newBits(), found);
      list = [...upTo(same + 1, this.#returnsOf(top, byte)), ...(found.lists[byte] ?? [])];
    }
    returns[byte] = list;
    return list;
  }
}

/** The beginnings of at most a length. */
function* upTo(length: number, list: readonly number[]): Generator<number> {
  for (let i = 0; i < list.length; i += 2) {
    if (list[i + 1] > length) continue;
    yield list[i];
    yield list[i + 1];
  }
}

/** Sets the bits of a mask, too. */
function addTo(bits: Uint32Array, { bits: others, few }: Pick<Top, "bits" | "few">): void {
  if (few !== undefined) for (const token of few) bits[token >> 5] |= 1 << (token & 31);
  else for (let i = 0; i < bits.length; i++) bits[i] |= others![i];
}

/** The bits, or a list of them if they are few. */
function shortest(bits: Uint32Array): Pick<Top, "bits" | "few"> {
  const found: number[] = [];
  for (let i = 0; i < bits.length && found.length <= FEW; i++) {
    for (let rest = bits[i]; rest !== 0; rest &= rest - 1) {
      found.push(32 * i + 31 - Math.clz32(rest & -rest));
    }
  }
  if (found.length > FEW) return { bits, few: undefined };
  return { bits: undefined, few: Uint32Array.from(found) };
}
