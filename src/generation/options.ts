/** The options of generation: defaults, ranges, and the one function that checks them. */
import { brandOf, checkSignal } from "../brands.js";
import { PlmError } from "../errors.js";
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

type NumericField = {
  [K in keyof GenerateOptions]-?: number extends GenerateOptions[K] ? K : never;
}[keyof GenerateOptions];

interface NumericRule {
  fallback: number;
  isValid: (value: number) => boolean;
  expected: string;
}

const isCount = (value: number): boolean => Number.isInteger(value) && value >= 0;
const isCountOrInfinity = (value: number): boolean => isCount(value) || value === Infinity;
const isShare = (value: number): boolean => value >= 0 && value <= 1;

function rule(
  fallback: number,
  isValid: (value: number) => boolean,
  expected: string,
): NumericRule {
  return { fallback, isValid, expected };
}

const NUMERIC_RULES: Record<NumericField, NumericRule> = {
  maxTokens: rule(Infinity, isCountOrInfinity, "an integer >= 0 or Infinity"),
  temperature: rule(0.8, (value) => value >= 0 && value < Infinity, "a finite number >= 0"),
  topK: rule(40, isCount, "an integer >= 0"),
  topP: rule(0.95, isShare, "a number in [0, 1]"),
  minP: rule(0.05, isShare, "a number in [0, 1]"),
  typicalP: rule(1, isShare, "a number in [0, 1]"),
  repetitionPenalty: rule(1, (value) => value > 0 && value < Infinity, "a finite number > 0"),
  repetitionWindow: rule(64, isCountOrInfinity, "an integer >= 0 or Infinity"),
  presencePenalty: rule(0, Number.isFinite, "a finite number"),
  frequencyPenalty: rule(0, Number.isFinite, "a finite number"),
  seed: rule(0, (value) => Number.isSafeInteger(value) && value >= 0, "an integer in [0, 2^53)"),
  logprobs: rule(0, isCount, "an integer >= 0"),
};

/**
 * Checks the options for a vocabulary of `vocabSize` and fills in the defaults; a missing seed is
 * chosen here. Throws one PlmError INVALID_ARGUMENT that names every field that is wrong; of
 * several, its cause has an error each.
 */
export function resolveOptions(options: GenerateOptions, vocabSize: number): ResolvedOptions {
  const problems: PlmError[] = [];
  const numbers = {} as Record<NumericField, number>;
  for (const [name, { fallback, isValid, expected }] of Object.entries(NUMERIC_RULES)) {
    const value: unknown = options[name as NumericField] ?? undefined;
    numbers[name as NumericField] = typeof value === "number" ? value : fallback;
    if (value !== undefined && !(typeof value === "number" && isValid(value))) {
      problems.push(invalid(name, expected, value));
    }
  }
  const logitBias = readLogitBias(options.logitBias, vocabSize, problems);
  const stop = readStop(options.stop, problems);
  const ignoreEos = readFlag("ignoreEos", options.ignoreEos, problems);
  const special = readFlag("special", options.special, problems);
  const signal = readSignal(options.signal, problems);
  if (problems.length === 1) throw problems[0];
  if (problems.length > 1) {
    const message = problems.map((problem) => problem.message).join("; ");
    throw new PlmError("INVALID_ARGUMENT", message, { cause: new AggregateError(problems) });
  }
  return {
    ...numbers,
    seed: options.seed ?? randomSeed(),
    logitBias,
    stop,
    ignoreEos,
    special,
    signal,
  };
}

function readLogitBias(
  value: GenerateOptions["logitBias"],
  vocabSize: number,
  problems: PlmError[],
): Map<number, number> {
  const biases = new Map<number, number>();
  if (value === undefined || value === null) return biases;
  if (typeof value !== "object") {
    problems.push(invalid("logitBias", "a Map or an object", value));
    return biases;
  }
  const entries = brandOf(value) === "Map" ? value : Object.entries(value);
  for (const [key, bias] of entries as Iterable<[unknown, unknown]>) {
    const id = typeof key === "string" && /^\d+$/.test(key) ? Number(key) : key;
    if (typeof id !== "number" || !isCount(id) || id >= vocabSize) {
      problems.push(invalid("logitBias", `a token id in [0, ${vocabSize})`, key));
    } else if (typeof bias !== "number" || !(bias < Infinity)) {
      problems.push(invalid("logitBias", "a number below Infinity", bias, `[${id}]`));
    } else {
      biases.set(id, bias);
    }
  }
  return biases;
}

function readStop(value: GenerateOptions["stop"], problems: PlmError[]): string[] {
  const stops: unknown = typeof value === "string" ? [value] : (value ?? []);
  if (Array.isArray(stops) && stops.every((stop) => typeof stop === "string" && stop !== "")) {
    return [...stops];
  }
  problems.push(invalid("stop", "a non-empty string or an array of them", value));
  return [];
}

function readFlag(name: string, value: boolean | undefined, problems: PlmError[]): boolean {
  const flag: unknown = value ?? false;
  if (typeof flag === "boolean") return flag;
  problems.push(invalid(name, "a boolean", flag));
  return false;
}

function readSignal(value: unknown, problems: PlmError[]): AbortSignal | undefined {
  try {
    return checkSignal(value);
  } catch (error) {
    problems.push(error as PlmError);
    return undefined;
  }
}

/** What is wrong with an option, or with the part of it that `key` names. */
function invalid(argument: string, expected: string, value: unknown, key = ""): PlmError {
  const message = `${argument}${key}: expected ${expected}, got ${show(value)}`;
  return new PlmError("INVALID_ARGUMENT", message, { argument });
}

/** A value as it may stand in a message: short, whatever it is. */
function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 40));
  if (Array.isArray(value)) return `[${value.slice(0, 4).map(show).join(", ")}]`;
  if (typeof value === "object" && value !== null) return "an object";
  return String(value);
}
