/** The log probabilities of an answer's tokens, as far as its text shows them. */
import type { GenerationResult } from "../generation/generation.js";
import type { TokenLogprob } from "../generation/logprobs.js";
import { requireGlobal } from "../globals.js";
import type { Tokenizer } from "../tokenizer/tokenizer.js";

export class LogprobReader {
  readonly #tokenizer: Tokenizer;
  #taken = 0;

  constructor(tokenizer: Tokenizer) {
    this.#tokenizer = tokenizer;
  }

  /** Those that are new; without those of a stop string, which the text has not. */
  take({ logprobs = [], stop, text }: GenerationResult): readonly TokenLogprob[] {
    const shown = stop === undefined ? logprobs.length : this.#countShown(logprobs, text);
    const from = Math.min(this.#taken, shown);
    this.#taken = shown;
    return logprobs.slice(from, shown);
  }

  /** The number of tokens that begin within the text. */
  #countShown(logprobs: readonly TokenLogprob[], text: string): number {
    const length = new (requireGlobal("TextEncoder"))().encode(text).length;
    let at = 0;
    let count = 0;
    while (count < logprobs.length && at < length) {
      at += this.#tokenizer.tokenBytes(logprobs[count++].token).length;
    }
    return count;
  }
}
