/** Holds a text to a grammar, token by token. */
import { invalidArgument } from "../errors.js";
import { type Automaton, type Configuration, DEAD } from "./automaton.js";
import type { TokenMasks } from "./token-masks.js";
import type { TokenTexts } from "./token-order.js";

/** What a constraint needs of a vocabulary. */
export interface ConstrainedTokens {
  readonly texts: TokenTexts;
  readonly eosTokenIds: ReadonlySet<number>;
}

/** One text that follows a grammar. */
export class TokenConstraint {
  readonly #automaton: Automaton;
  readonly #masks: TokenMasks;
  readonly #tokens: ConstrainedTokens;
  #at: Configuration;

  constructor(automaton: Automaton, masks: TokenMasks, tokens: ConstrainedTokens) {
    this.#automaton = automaton;
    this.#masks = masks;
    this.#tokens = tokens;
    this.#at = automaton.start;
  }

  /** Whether the text may end here. */
  get canEnd(): boolean {
    return this.#at.ends;
  }

  /** Whether the text can only end here. */
  get isComplete(): boolean {
    return this.#at.ends && this.#at.frames.length === 0;
  }

  /**
   * Sets the f32[vocabSize] logits of the tokens that may not follow to -Infinity, and those of end
   * tokens unless the text may end. Throws INVALID_ARGUMENT if no token can follow.
   */
  mask(logits: Float32Array): void {
    const { eosTokenIds } = this.#tokens;
    const ends = Array.from(eosTokenIds, (id) => [id, logits[id]] as const);
    const allowed = maskLogits(logits, this.#masks.maskOf(this.#at));
    if (this.#at.ends) for (const [id, logit] of ends) logits[id] = logit;
    else if (!allowed) {
      const expected = "a form that the tokens of the vocabulary can write";
      throw invalidArgument("responseFormat", expected, "one that needs others");
    }
  }

  /** Adds a token that the mask allows. Throws INVALID_ARGUMENT for another. */
  accept(token: number): void {
    const { bytes, offsets } = this.#tokens.texts;
    const end = offsets[token + 1];
    let at = offsets[token] < end ? this.#at.id : DEAD;
    for (let i = offsets[token]; i < end && at !== DEAD; i++) {
      at = this.#automaton.step(at, bytes[i]);
    }
    if (at === DEAD) {
      throw invalidArgument("token", "one that the response format allows", String(token));
    }
    this.#at = this.#automaton.configurations[at];
  }
}

/** Bans the tokens without a bit; returns whether there are any with one. */
function maskLogits(logits: Float32Array, bits: Uint32Array): boolean {
  let some = 0;
  /** The first of the words without a bit that come last. */
  let empty = 0;
  for (let i = 0; i < bits.length; i++) {
    const word = bits[i];
    if (word === 0) continue;
    some |= word;
    if (i > empty) logits.fill(-Infinity, 32 * empty, 32 * i);
    empty = i + 1;
    for (let rest = ~word; rest !== 0; rest &= rest - 1) {
      logits[32 * i + 31 - Math.clz32(rest & -rest)] = -Infinity;
    }
  }
  logits.fill(-Infinity, 32 * empty);
  return some !== 0;
}
