/** Trains byte-level BPE vocabularies for the Qwen2 tokenizer. */
import { invalidArgument, quote } from "../errors.js";
import { requireGlobal } from "../globals.js";
import { byteToChar } from "./bytes.js";
import { learnMerges } from "./learn-merges.js";
import type { TokenizerSource } from "./metadata.js";
import { normalizeNfc } from "./normalize.js";
import { SpecialTokens } from "./special.js";
import {
  type CheckedOptions,
  checkOptions,
  checkText,
  type TrainTokenizerOptions,
} from "./train-options.js";
import { TokenType } from "./vocabulary.js";
import { WordCounts } from "./word-counts.js";

/** A trained vocabulary, which `new Tokenizer` takes. */
export interface TrainedTokenizer extends TokenizerSource {
  /** Bytes (id = byte), then what merges make, special tokens, unused tokens. */
  readonly tokens: string[];
  readonly tokenTypes: Int32Array;
  readonly merges: string[];
  readonly eosTokenId: number;
  readonly paddingTokenId: number;
  /** Tokens of type unused at the end, for which the texts had too few frequent pairs. */
  readonly unusedTokens: number;
  /** UTF-8 bytes of the texts, normalised and without special tokens that were cut out. */
  readonly textBytes: number;
  /** How many tokens the texts are in this vocabulary, special tokens that were cut out aside. */
  readonly textTokens: number;
}

/**
 * The vocabulary that byte-pair encoding learns from `texts`, each a document: words never span
 * two. Each time the most frequent pair of adjacent tokens within words merges; of equally frequent
 * ones that whose left token, then whose right token has the lexicographically smaller bytes. So
 * the outcome is the same for the same documents, in any order. If no pair is left that comes
 * `minFrequency` times, tokens `<|unused0|>` and so on fill the vocabulary up.
 *
 * Throws INVALID_ARGUMENT for options out of range, for a text that is no string or has a lone
 * surrogate, for texts without a single character, and for a special token that is learnt too.
 */
export async function trainTokenizer(
  texts: Iterable<string> | AsyncIterable<string>,
  options: TrainTokenizerOptions,
): Promise<TrainedTokenizer> {
  const checked = checkOptions(options);
  const words = await countWords(texts, checked);
  const textBytes = words.totalBytes;
  if (textBytes === 0) throw invalidArgument("texts", "some text", "none");
  const maxMerges = checked.vocabSize - 256 - checked.specialTokens.length;
  const learnt = learnMerges(words, maxMerges, checked.minFrequency);
  const tokens = learnt.bytes.map(spell);
  const merges = learnt.merges.map(([left, right]) => `${tokens[left]} ${tokens[right]}`);
  return {
    ...completeVocabulary(tokens, checked),
    merges,
    textBytes,
    textTokens: learnt.tokenCount,
  };
}

async function countWords(
  texts: Iterable<string> | AsyncIterable<string>,
  { specialTokens, special, normalize }: CheckedOptions,
): Promise<WordCounts> {
  // A string is an iterable of strings too, of characters.
  if (typeof texts === "string") throw invalidArgument("texts", "an iterable of texts", "a string");
  const words = new WordCounts();
  const utf8 = new (requireGlobal("TextEncoder"))();
  const cuts = new SpecialTokens(special ? specialTokens.map((token, i) => [i, token]) : []);
  const add = (text: string): void => {
    words.add(utf8.encode(normalize === "nfc" ? normalizeNfc(text) : text));
  };
  let index = 0;
  for await (const text of texts) {
    checkText(text, index++);
    let from = 0;
    for (const { start, end } of cuts.match(text)) {
      add(text.slice(from, start));
      from = end;
    }
    add(from === 0 ? text : text.slice(from));
  }
  return words;
}

/** A token's text in the byte-level alphabet; `bytes` are characters 0 to 255. */
function spell(bytes: string): string {
  let text = "";
  for (let i = 0; i < bytes.length; i++) text += byteToChar(bytes.charCodeAt(i));
  return text;
}

/** Adds special and unused tokens to `tokens`, which are bytes and what merges make of them. */
function completeVocabulary(
  tokens: string[],
  { vocabSize, specialTokens }: CheckedOptions,
): Pick<
  TrainedTokenizer,
  "tokens" | "tokenTypes" | "eosTokenId" | "paddingTokenId" | "unusedTokens"
> {
  const taken = new Set(tokens);
  const eosTokenId = tokens.length;
  for (const token of specialTokens) {
    // Readers of GGUF find tokens by their text.
    if (taken.has(token))
      throw invalidArgument("specialTokens", "none that is learnt too", quote(token));
    taken.add(token);
    tokens.push(token);
  }
  const used = tokens.length;
  for (let i = 0; tokens.length < vocabSize; i++) {
    const token = `<|unused${i}|>`;
    if (!taken.has(token)) tokens.push(token);
  }
  const tokenTypes = new Int32Array(vocabSize)
    .fill(TokenType.normal, 0, eosTokenId)
    .fill(TokenType.control, eosTokenId, used)
    .fill(TokenType.unused, used);
  const unusedTokens = vocabSize - used;
  return { tokens, tokenTypes, eosTokenId, paddingTokenId: eosTokenId, unusedTokens };
}
