/** A vocabulary small enough to check by hand: 256 bytes (id = byte), 12 merges, six others. */
import { byteToChar } from "../../../src/tokenizer/bytes.js";
import { Tokenizer, type TokenizerSource } from "../../../src/tokenizer/tokenizer.js";

/** Merge r makes token 256 + r. Ġ is the space, Ã and © are the two bytes of é. */
const MERGES = [
  "h e", // 256
  "l l", // 257
  "he ll", // 258
  "hell o", // 259
  "Ġ w", // 260
  "o r", // 261
  "Ġw or", // 262
  "l d", // 263
  "Ġwor ld", // 264
  "a a", // 265
  "aa aa", // 266
  "Ã ©", // 267
];

/** Text and GGUF type of tokens 268 to 273. */
const OTHERS: [string, number][] = [
  ["<|endoftext|>", 3], // 268
  ["<|im_start|>", 3], // 269
  ["<|im_end|>", 3], // 270
  ["<tool>", 4], // 271
  ["[PAD272]", 5], // 272
  ["<0x0A>", 6], // 273
];

export function smallSource(): TokenizerSource {
  const bytes = Array.from({ length: 256 }, (_, byte) => byteToChar(byte));
  const merged = MERGES.map((merge) => merge.replace(" ", ""));
  return {
    tokens: [...bytes, ...merged, ...OTHERS.map(([text]) => text)],
    tokenTypes: [...[...bytes, ...merged].map(() => 1), ...OTHERS.map(([, type]) => type)],
    merges: MERGES,
    eosTokenId: 268,
  };
}

export const small: Tokenizer = new Tokenizer(smallSource());
