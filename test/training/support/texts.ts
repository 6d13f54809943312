/** Tokenised texts for tests, made of numbers that tell where they are from. */
import type { TokenizedText } from "../../../src/training/data/corpus.js";
import { hashText } from "../../../src/training/data/random.js";

/** The end-of-text token of these texts. */
export const EOS = 0;

/** A text of documents of these counts of tokens; tokens are base + 1, base + 2, ... and EOS. */
export function numberedText(name: string, lengths: readonly number[], base = 0): TokenizedText {
  const tokens: number[] = [];
  const ends: number[] = [];
  let next = base + 1;
  for (const length of lengths) {
    for (let i = 0; i < length; i++) tokens.push(next++);
    ends.push(tokens.push(EOS));
  }
  return {
    name,
    tokens: Uint32Array.from(tokens),
    ends: Uint32Array.from(ends),
    bytes: tokens.length,
    fingerprint: hashText(JSON.stringify([tokens, ends])),
  };
}
