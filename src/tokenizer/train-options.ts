/** What the training of a vocabulary is given, checked. */
import { describeValue, kindOf } from "../describe.js";
import { invalidArgument, quote } from "../errors.js";

/** What a vocabulary is to be like. */
export interface TrainTokenizerOptions {
  /** Exactly as many tokens as there will be: 256 bytes, merges, special tokens, unused ones. */
  vocabSize: number;
  /** Control tokens, the first of which ends texts and pads; `["<|endoftext|>"]` by default. */
  specialTokens?: readonly string[];
  /** How often a pair must come to be merged; 2 by default. */
  minFrequency?: number;
  /** Whether special tokens in the texts are cut out of them; false by default: they are text. */
  special?: boolean;
  /** As in EncodeOptions, and best the same as there: "nfc" by default, or "none". */
  normalize?: "nfc" | "none";
}

/** The largest vocabulary that can be trained. */
const MAX_TRAINED_VOCAB_SIZE: number = 2 ** 20;

const DEFAULT_SPECIAL_TOKENS: readonly string[] = ["<|endoftext|>"];

/** With the u flag, halves of a pair do not match. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Options with nothing left out. */
export type CheckedOptions = Required<TrainTokenizerOptions>;

/** Options with defaults filled in; throws INVALID_ARGUMENT for those out of range. */
export function checkOptions(options: TrainTokenizerOptions): CheckedOptions {
  const {
    vocabSize,
    specialTokens = DEFAULT_SPECIAL_TOKENS,
    minFrequency = 2,
    special = false,
    normalize = "nfc",
  } = options;
  checkSpecialTokens(specialTokens);
  checkInteger("vocabSize", vocabSize, 256 + specialTokens.length, MAX_TRAINED_VOCAB_SIZE);
  checkInteger("minFrequency", minFrequency, 1, Number.MAX_SAFE_INTEGER);
  if (normalize !== "nfc" && normalize !== "none") {
    throw invalidArgument("normalize", `"nfc" or "none"`, describeValue(normalize));
  }
  return { vocabSize, specialTokens: [...specialTokens], minFrequency, special, normalize };
}

function checkInteger(name: string, value: unknown, low: number, high: number): void {
  if (Number.isInteger(value) && (value as number) >= low && (value as number) <= high) return;
  throw invalidArgument(name, `an integer from ${low} to ${high}`, describeValue(value));
}

function checkSpecialTokens(specialTokens: unknown): void {
  if (!Array.isArray(specialTokens) || specialTokens.length === 0) {
    throw invalidArgument(
      "specialTokens",
      "an array of one string or more",
      describeValue(specialTokens),
    );
  }
  const seen = new Set<unknown>();
  for (const token of specialTokens) {
    if (typeof token !== "string" || token === "" || LONE_SURROGATE.test(token)) {
      throw invalidArgument(
        "specialTokens",
        "well-formed strings, not empty",
        describeValue(token),
      );
    }
    if (seen.has(token))
      throw invalidArgument("specialTokens", "each once", `${quote(token)} twice`);
    seen.add(token);
  }
}

/** Throws INVALID_ARGUMENT if text `index` is no string or has a lone surrogate. */
export function checkText(text: unknown, index: number): void {
  const place = { at: `[${index}]` };
  if (typeof text !== "string") throw invalidArgument("texts", "a string", kindOf(text), place);
  const at = text.search(LONE_SURROGATE);
  if (at < 0) return;
  const unit = text.charCodeAt(at).toString(16);
  throw invalidArgument("texts", "well-formed text", `the lone surrogate ${unit} at ${at}`, place);
}
