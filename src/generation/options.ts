/** The options of generation: what each is by default and may be, and what checks them all. */
import { brandOf, isSignal } from "../brands.js";
import { describeValue } from "../describe.js";
import { invalidArgument, PlmError } from "../errors.js";
import { randomSeed } from "./random.js";

/**
 * How to generate. The defaults are those of llama.cpp's tools. Order: repetition penalty, presence
 * and frequency penalties, logit bias, top-k, typical-p, top-p, min-p, temperature.
 */
export interface GenerateOptions {
  /** Most tokens to generate, an integer >= 0. Default: until an end token or a full context. */
  maxTokens?: number;
  /** >= 0; below 1 sharpens, above 1 flattens, 0 takes the best token always. Default 0.8. */
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
   * > 0; above 1 makes tokens of the prompt and the text less likely; what a session has evaluated
   * before counts as prompt. Default 1 (off).
   */
  repetitionPenalty?: number;
  /** How far the repetition penalty looks back, an integer >= 0 or Infinity. Default 64. */
  repetitionWindow?: number;
  /** Taken once from the logit of a token already generated; finite. Default 0. */
  presencePenalty?: number;
  /** Taken for each time that a token was generated; finite. Default 0. */
  frequencyPenalty?: number;
  /** Token id to a number added to its logit; -Infinity bans the token. Default none. */
  logitBias?: ReadonlyMap<number, number> | Readonly<Record<number, number>>;
  /**
   * An integer in [0, 2^53): the same seed gives the same text on the same runtime and kind of
   * processor. Default: random, and reported in the result.
   */
  seed?: number;
  /**
   * Ends the text before the first of these strings; none may be empty. A control token that is not
   * shown counts with its whole text or not at all. Default none.
   */
  stop?: string | readonly string[];
  /** Report each token's log probability and this many alternatives; 0 is off. Default 0. */
  logprobs?: number;
  /** Ends generation by rejecting with the signal's reason. */
  signal?: AbortSignal;
  /** Never choose an end token: the text goes on to maxTokens (for benches). Default false. */
  ignoreEos?: boolean;
  /**
   * Write control tokens that the model chooses, such as `<|im_start|>`, in the text, as
   * `Tokenizer.decode` does; the end token never is. Default false.
   */
  special?: boolean;
}

/** Options with every default filled in. */
export interface ResolvedOptions extends Required<Omit<GenerateOptions, "signal">> {
  logitBias: ReadonlyMap<number, number>;
  stop: readonly string[];
  signal: AbortSignal | undefined;
}

/** Takes what is wrong with an option, or with the part of it that `at` names. */
type Refuse = (expected: string, value: unknown, at?: string) => void;

/** Reads an option; undefined is one that was left out. What it refuses, it also replaces. */
type Reader<T> = (value: unknown, refuse: Refuse, vocabSize: number) => T;

const isCount = (value: number): boolean => Number.isInteger(value) && value >= 0;
const isCountOrInfinity = (value: number): boolean => isCount(value) || value === Infinity;
const isShare = (value: number): boolean => value >= 0 && value <= 1;
const isSeed = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

/** Every option: its default, and what it may be. The commands' flags follow from this table. */
const READERS: { readonly [K in keyof ResolvedOptions]: Reader<ResolvedOptions[K]> } = {
  maxTokens: number(Infinity, isCountOrInfinity, "an integer >= 0 or Infinity"),
  temperature: number(0.8, (value) => value >= 0 && value < Infinity, "a finite number >= 0"),
  topK: number(40, isCount, "an integer >= 0"),
  topP: number(0.95, isShare, "a number in [0, 1]"),
  minP: number(0.05, isShare, "a number in [0, 1]"),
  typicalP: number(1, isShare, "a number in [0, 1]"),
  repetitionPenalty: number(1, (value) => value > 0 && value < Infinity, "a finite number > 0"),
  repetitionWindow: number(64, isCountOrInfinity, "an integer >= 0 or Infinity"),
  presencePenalty: number(0, Number.isFinite, "a finite number"),
  frequencyPenalty: number(0, Number.isFinite, "a finite number"),
  logitBias: readLogitBias,
  seed: number(randomSeed, isSeed, "an integer in [0, 2^53)"),
  stop: readStop,
  logprobs: number(0, isCount, "an integer >= 0"),
  signal: readSignal,
  ignoreEos: readFlag,
  special: readFlag,
};

/**
 * Checks the options for a vocabulary of `vocabSize` and fills in the defaults; a missing seed is
 * chosen here. Throws one PlmError INVALID_ARGUMENT that names every option that is wrong; of
 * several, its cause has an error each.
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

/** The reader of a number; a default that is a function is called where the option is left out. */
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

function readStop(value: unknown, refuse: Refuse): string[] {
  const stops = typeof value === "string" ? [value] : (value ?? []);
  if (Array.isArray(stops) && stops.every((stop) => typeof stop === "string" && stop !== "")) {
    return [...stops];
  }
  refuse("a non-empty string or an array of them", value);
  return [];
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
