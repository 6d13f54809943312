/** The vocabulary of random models: 256 bytes, the pieces of some English words, PLM's specials. */
import { byteToChar } from "../tokenizer/bytes.js";
import { TokenType } from "../tokenizer/vocabulary.js";

/** A vocabulary, for the tokenizer and the random weights. */
export interface RandomVocabulary {
  /** Exactly the requested number. */
  readonly tokens: string[];
  /** GGUF token types. */
  readonly tokenTypes: number[];
  readonly merges: string[];
  readonly endOfTextId: number;
  /** By token: whether it is a whole word or a full stop, which make readable text. */
  readonly isReadable: boolean[];
}

const SPECIAL_TOKENS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"];

/** The bytes and the special tokens. */
export const MIN_VOCAB_SIZE: number = 256 + SPECIAL_TOKENS.length;

const WORDS =
  "the a and of to in on with she he they it was had saw went said one day there little old " +
  "young girl boy king queen bear bird fox tree forest river house garden door sun moon " +
  "star sea boat hill road night morning happy sad kind big small golden red green blue " +
  "very then but for from until under over who that his her their home friend song bread " +
  "apple flower stone wind rain";

/**
 * A byte-level vocabulary of `size` (at least MIN_VOCAB_SIZE) tokens: bytes, as many word pieces as
 * there is room for, the special tokens, and unused ones to fill it up. Each word, with the space
 * before it, is merged from left to right.
 */
export function createRandomVocabulary(size: number): RandomVocabulary {
  const tokens = Array.from({ length: 256 }, (_, byte) => byteToChar(byte));
  const known = new Set(tokens);
  const readable = new Set([".", ","]);
  const merges: string[] = [];
  const space = byteToChar(0x20);
  for (const word of WORDS.split(" ")) {
    const spelled = space + word;
    readable.add(spelled);
    for (let end = 2; end <= spelled.length; end++) {
      const piece = spelled.slice(0, end);
      if (known.has(piece) || tokens.length + SPECIAL_TOKENS.length === size) continue;
      known.add(piece);
      tokens.push(piece);
      merges.push(`${spelled.slice(0, end - 1)} ${spelled[end - 1]}`);
    }
  }
  const tokenTypes: number[] = tokens.map(() => TokenType.normal);
  const endOfTextId = tokens.length;
  tokens.push(...SPECIAL_TOKENS);
  tokenTypes.push(...SPECIAL_TOKENS.map(() => TokenType.control));
  while (tokens.length < size) {
    tokenTypes.push(TokenType.unused);
    tokens.push(`[PAD${tokens.length}]`);
  }
  const isReadable = tokens.map((token) => readable.has(token));
  return { tokens, tokenTypes, merges, endOfTextId, isReadable };
}
