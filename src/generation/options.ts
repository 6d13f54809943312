/** The options of generation: their defaults, ranges and checks. */
import { brandOf, isSignal } from "../brands.js";
import { describeValue } from "../describe.js";
import { invalidArgument, PlmError } from "../errors.js";
import type { GrammarSource } from "../grammar/source.js";
import { randomSeed } from "./random.js";
import { grammarSourceOf, RESPONSE_FORMATS, type ResponseFormat } from "./response-format.js";
import { SAMPLERS, type SamplerName } from "./samplers.js";

/**
 * How to generate. The defaults are those of llama.cpp's tools. Order: repetition penalty, presence
 * and frequency penalties, DRY, logit bias, then `samplers`.
 */
export interface GenerateOptions {
  /** Most tokens to generate, an integer >= 0. Default: until an end token or a full context. */
  maxTokens?: number;
  /** >= 0; below 1 sharpens, above 1 flattens, 0 always takes the best token. Default 0.8. */
  temperature?: number;
  /** Keep this many tokens, an integer >= 0; 0 keeps all. Default 40. */
  topK?: number;
  /** Keep the best tokens with this share of the probability, 0..1; 1 keeps all. Default 0.95. */
  topP?: number;
  /** Keep tokens at least this probable relative to the best, 0..1; 0 keeps all. Default 0.05. */
  minP?: number;
  /** Keep the most typical tokens with this share, 0..1; 1 keeps all. Default 1. */
  typicalP?: number;
  /**
   * Keep tokens whose logit is at most this many standard deviations below the best, >= 0; 0 keeps
   * all. Default 0.
   */
  topNSigma?: number;
  /**
   * XTC: how often the best tokens are excluded, 0..1: all that have at least `xtcThreshold` of the
   * probability, 0..1, except the least probable of these. Defaults 0 (never) and 0.1.
   */
  xtcProbability?: number;
  xtcThreshold?: number;
  /**
   * Dynamic temperature: how far, >= 0, it moves from `temperature` with the entropy of the tokens
   * that are left: up where many are likely, down where one is. Its share of the greatest entropy
   * is taken to the power of `dynatempExponent`, > 0. Defaults 0 (fixed) and 1.
   */
  dynatempRange?: number;
  dynatempExponent?: number;
  /**
   * Mirostat, version 1 or 2, instead of `samplers`: keeps the surprise of a token near
   * `mirostatTau` bits, > 0, by moving a limit at the rate `mirostatEta`, >= 0; `temperature`
   * still counts. Defaults 0 (off), 5 and 0.1.
   */
  mirostat?: 0 | 1 | 2;
  mirostatTau?: number;
  mirostatEta?: number;
  /**
   * The steps that choose a token, and their order, each at most once; those that are left out do
   * nothing. Default: topNSigma, topK, typicalP, topP, minP, xtc, temperature.
   */
  samplers?: readonly SamplerName[];
  /**
   * > 0; above 1 makes tokens of the prompt and the text less likely; tokens that a session has
   * evaluated before count as prompt. Default 1 (off).
   */
  repetitionPenalty?: number;
  /** How far the repetition penalty looks back, an integer >= 0 or Infinity. Default 64. */
  repetitionWindow?: number;
  /** Subtracted once from the logit of a token already generated; finite. Default 0. */
  presencePenalty?: number;
  /** Subtracted for each time that a token was generated; finite. Default 0. */
  frequencyPenalty?: number;
  /**
   * DRY: takes dryMultiplier * dryBase^(m - dryAllowedLength) from the logit of a token that would
   * go on with a repetition of m tokens, from dryAllowedLength on. Multiplier and base finite, >= 0
   * and >= 1; the length an integer >= 1. Defaults 0 (off), 1.75 and 2.
   */
  dryMultiplier?: number;
  dryBase?: number;
  dryAllowedLength?: number;
  /** How far DRY looks back, an integer >= 0 or Infinity. Default Infinity. */
  dryWindow?: number;
  /**
   * No repetition reaches over a token whose text contains one of these strings, none empty.
   * Default a line break, `:`, `"` and `*`.
   */
  drySequenceBreakers?: readonly string[];
  /** Maps token ids to numbers added to their logits; -Infinity bans a token. Default none. */
  logitBias?: ReadonlyMap<number, number> | Readonly<Record<number, number>>;
  /**
   * An integer in [0, 2^53): the same seed gives the same text on the same runtime and kind of
   * processor. Default: random, and reported in the result.
   */
  seed?: number;
  /**
   * Ends the text before the first of these strings, none empty. A stop string contains a hidden
   * control token's whole text or none of it. Default none.
   */
  stop?: string | readonly string[];
  /** Report each token's log probability and this many alternatives; default 0, which is off. */
  logprobs?: number;
  /**
   * The form that the text must have, such as JSON of a schema. Reading rejects with
   * INVALID_ARGUMENT for a form that cannot be honoured. A text that ends by itself (finish reason
   * "eos") has the form; one that ends by `maxTokens`, `stop` or a full context is only the
   * beginning of one. Default: any text.
   */
  responseFormat?: ResponseFormat;
  /** Ends generation by rejecting with the signal's reason. */
  signal?: AbortSignal;
  /** Never choose an end token: the text goes on to maxTokens (for benches). Default false. */
  ignoreEos?: boolean;
  /**
   * Show control tokens that the model chooses, such as `<|im_start|>`, in the text, as
   * `Tokenizer.decode` does; the end token is never shown. Default false.
   */
  special?: boolean;
}

/** Options with every default filled in. */
export interface ResolvedOptions
  extends Required<Omit<GenerateOptions, "signal" | "responseFormat">> {
  logitBias: ReadonlyMap<number, number>;
  stop: readonly string[];
  drySequenceBreakers: readonly string[];
  responseFormat: GrammarSource | undefined;
  signal: AbortSignal | undefined;
}

/** Reports a bad value of an option, or of the part of it that `at` names. */
type Refuse = (expected: string, value: unknown, at?: string) => void;

/** Reads an option; undefined if it is missing. Returns a valid value even after refusing one. */
type Reader<T> = (value: unknown, refuse: Refuse, vocabSize: number) => T;

/** Where DRY's repetitions end, as in llama.cpp. */
const BREAKERS = ["\n", ":", '"', "*"];

const isCount = (value: number): boolean => Number.isInteger(value) && value >= 0;
const isCountOrInfinity = (value: number): boolean => isCount(value) || value === Infinity;
const isShare = (value: number): boolean => value >= 0 && value <= 1;
const isFiniteFrom0 = (value: number): boolean => value >= 0 && value < Infinity;
const isAbove0 = (value: number): boolean => value > 0 && value < Infinity;
const isSeed = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

/** Every option's default and range. The commands' flags follow from this table. */
const READERS: { readonly [K in keyof ResolvedOptions]: Reader<ResolvedOptions[K]> } = {
  maxTokens: number(Infinity, isCountOrInfinity, "an integer >= 0 or Infinity"),
  temperature: number(0.8, isFiniteFrom0, "a finite number >= 0"),
  topK: number(40, isCount, "an integer >= 0"),
  topP: number(0.95, isShare, "a number in [0, 1]"),
  minP: number(0.05, isShare, "a number in [0, 1]"),
  typicalP: number(1, isShare, "a number in [0, 1]"),
  topNSigma: number(0, isFiniteFrom0, "a finite number >= 0"),
  xtcProbability: number(0, isShare, "a number in [0, 1]"),
  xtcThreshold: number(0.1, isShare, "a number in [0, 1]"),
  dynatempRange: number(0, isFiniteFrom0, "a finite number >= 0"),
  dynatempExponent: number(1, isAbove0, "a finite number > 0"),
  mirostat: readMirostat,
  mirostatTau: number(5, isAbove0, "a finite number > 0"),
  mirostatEta: number(0.1, isFiniteFrom0, "a finite number >= 0"),
  samplers: readSamplers,
  repetitionPenalty: number(1, isAbove0, "a finite number > 0"),
  repetitionWindow: number(64, isCountOrInfinity, "an integer >= 0 or Infinity"),
  presencePenalty: number(0, Number.isFinite, "a finite number"),
  frequencyPenalty: number(0, Number.isFinite, "a finite number"),
  dryMultiplier: number(0, isFiniteFrom0, "a finite number >= 0"),
  dryBase: number(1.75, (value) => value >= 1 && value < Infinity, "a finite number >= 1"),
  dryAllowedLength: number(2, (value) => isCount(value) && value > 0, "an integer >= 1"),
  dryWindow: number(Infinity, isCountOrInfinity, "an integer >= 0 or Infinity"),
  drySequenceBreakers: (value, refuse) => readTexts(value ?? BREAKERS, refuse),
  logitBias: readLogitBias,
  seed: number(randomSeed, isSeed, "an integer in [0, 2^53)"),
  stop: (value, refuse) => readTexts(value ?? [], refuse),
  logprobs: number(0, isCount, "an integer >= 0"),
  responseFormat: readResponseFormat,
  signal: readSignal,
  ignoreEos: readFlag,
  special: readFlag,
};

/**
 * Checks the options for a vocabulary of `vocabSize` and fills in the defaults; a missing seed is
 * chosen here. Throws one PlmError INVALID_ARGUMENT that names every bad option; if there are
 * several, its cause has one error for each.
 */
export function resolveOptions(options: GenerateOptions, vocabSize: number): ResolvedOptions {
  const problems: PlmError[] = [];
  const resolved: Record<string, unknown> = {};
  for (const [name, read] of Object.entries<Reader<unknown>>(READERS)) {
    const refuse: Refuse = (expected, value, at = "") => {
      problems.push(invalidArgument(name, expected, describeValue(value), { at }));
    };
    resolved[name] = read(options[name as keyof GenerateOptions] ?? undefined, refuse, vocabSize);
  }
  if (problems.length === 1) throw problems[0];
  if (problems.length > 1) {
    const message = problems.map((problem) => problem.message).join("; ");
    throw new PlmError("INVALID_ARGUMENT", message, { cause: new AggregateError(problems) });
  }
  return resolved as unknown as ResolvedOptions;
}

/** The reader of a number; a default that is a function is called if the option is missing. */
function number(
  fallback: number | (() => number),
  isValid: (value: number) => boolean,
  expected: string,
): Reader<number> {
  return (value, refuse) => {
    if (value === undefined) return typeof fallback === "number" ? fallback : fallback();
    if (typeof value === "number" && isValid(value)) return value;
    refuse(expected, value);
    return 0;
  };
}

function readMirostat(value: unknown, refuse: Refuse): 0 | 1 | 2 {
  if (value === undefined || value === 0 || value === 1 || value === 2) return value ?? 0;
  refuse("0, 1 or 2", value);
  return 0;
}

function readSamplers(value: unknown, refuse: Refuse): readonly SamplerName[] {
  if (value === undefined) return SAMPLERS;
  const isKnown = (name: unknown): boolean => SAMPLERS.includes(name as SamplerName);
  if (Array.isArray(value) && value.every(isKnown) && new Set(value).size === value.length) {
    return [...value];
  }
  refuse(`an array of some of ${SAMPLERS.join(", ")}`, value);
  return SAMPLERS;
}

function readLogitBias(value: unknown, refuse: Refuse, vocabSize: number): Map<number, number> {
  const biases = new Map<number, number>();
  if (value === undefined) return biases;
  if (typeof value !== "object") {
    refuse("a Map or an object", value);
    return biases;
  }
  const entries = brandOf(value) === "Map" ? value : Object.entries(value as object);
  for (const [key, bias] of entries as Iterable<[unknown, unknown]>) {
    const id = typeof key === "string" && /^\d+$/.test(key) ? Number(key) : key;
    if (typeof id !== "number" || !isCount(id) || id >= vocabSize) {
      refuse(`a token id in [0, ${vocabSize})`, key);
    } else if (typeof bias !== "number" || !(bias < Infinity)) {
      refuse("a number below Infinity", bias, `[${id}]`);
    } else {
      biases.set(id, bias);
    }
  }
  return biases;
}

function readTexts(value: unknown, refuse: Refuse): string[] {
  const texts = typeof value === "string" ? [value] : value;
  if (Array.isArray(texts) && texts.every((text) => typeof text === "string" && text !== "")) {
    return [...texts];
  }
  refuse("a non-empty string or an array of them", value);
  return [];
}

function readResponseFormat(value: unknown, refuse: Refuse): GrammarSource | undefined {
  if (value === undefined) return undefined;
  const source = grammarSourceOf(value);
  if (source !== "invalid") return source;
  refuse(RESPONSE_FORMATS, value);
  return undefined;
}

function readFlag(value: unknown, refuse: Refuse): boolean {
  if (typeof value === "boolean") return value;
  if (value !== undefined) refuse("a boolean", value);
  return false;
}

function readSignal(value: unknown, refuse: Refuse): AbortSignal | undefined {
  if (value === undefined || isSignal(value)) return value;
  refuse("an AbortSignal", value);
  return undefined;
}
