/** How a model is laid out in memory: the options, their defaults and ranges. */
import platform from "#platform";
import { CACHE_TYPES, type CacheType } from "../cache/rows.js";
import { describeValue } from "../describe.js";
import { invalidArgument } from "../errors.js";
import { MAX_MEMORY_BYTES } from "../kernels/arena.js";
import { ATTENTION_FORMS, type AttentionForm } from "../model/attention-form.js";
import type { PlmConfig } from "../model/config.js";
import { PRECISIONS, type Precision } from "../model/precision.js";

/** How options that are left open are chosen. */
export const PROFILES = ["auto", "small"] as const;

/** One of PROFILES. */
export type Profile = (typeof PROFILES)[number];

/** How a model is laid out in memory. */
export interface ModelOptions {
  /**
   * Most tokens of a sequence; default, and at most, the context length of the file, or
   * `cacheTokens` if that is less.
   */
  contextLength?: number;
  /** How cached numbers are stored; default "i16". */
  cacheType?: CacheType;
  /** How attention is computed; default "auto". */
  attention?: AttentionForm;
  /**
   * Most tokens that prefill evaluates at once; default 512. Between batches the event loop runs,
   * and aborts are noticed.
   */
  batchSize?: number;
  /** Most sequences that are evaluated together; others wait. Default 16. */
  maxSequences?: number;
  /**
   * Tokens that the cache has room for, those of all sequences together; default `contextLength`.
   * While they need more, some wait and continue later.
   */
  cacheTokens?: number;
  /**
   * Keep the rows of sequences that have ended, as long as there is room, and reuse them where
   * another begins with the same tokens. Default true.
   */
  prefixCache?: boolean;
  /**
   * Most threads that compute, including the caller's, 1 to 64; default: the fastest number, found
   * by timing, or one for weights of less than 16 MiB. While other programs are busy, fewer take
   * part. There are never more than processors, and only one if threads cannot share memory, do
   * not start or do not answer in 10 seconds: `model.threads` is the number, and
   * `model.threadFailure` the reason.
   */
  threads?: number;
  /** Bits of activations in prefill; default "balanced". */
  precision?: Precision;
  /** Refuse a plan that takes more bytes than this; default, and at most, 4 GiB. */
  memoryLimitBytes?: number;
  /**
   * Layers whose weights are in memory at a time, at least 1; default all. The others are read from
   * the source again, and packed, whenever the forward pass gets to them: the results are the same,
   * a prompt takes somewhat longer, and a token as long as the reads. The source is a file, a Blob
   * or bytes that can be read again; it stays open until the model is disposed of.
   */
  residentLayers?: number;
  /**
   * Choose the options that are left open for the device: `model.plan.choices` lists what was
   * chosen, and why. "auto" changes nothing that fits into `memoryLimitBytes` or, without it, half
   * of the memory that the runtime reports; else it takes smaller batches, then a q8_0 cache, then
   * a shorter context, then fewer `residentLayers` where the source allows that. "small", for
   * phones and small boards, begins with batches of 64 tokens, a q8_0 cache, at most 2,048 tokens
   * and at most 4 threads. Default: the other options' defaults.
   */
  profile?: Profile;
}

/** Every option of a plan. */
export type PlannedOptions = Required<Omit<ModelOptions, "profile">>;

/** The default of batchSize. */
export const DEFAULT_BATCH = 512;

/** More tokens than any memory has room for. */
const MOST_TOKENS = 1 << 30;

/** The most threads of a model. */
const MOST_THREADS = 64;

function checkRange(name: string, value: number, low: number, high: number): number {
  if (Number.isInteger(value) && value >= low && value <= high) return value;
  throw invalidArgument(name, `an integer from ${low} to ${high}`, describeValue(value));
}

/**
 * Threads to plan for: the requested number or the number of processors, whichever is less. Throws
 * INVALID_ARGUMENT.
 */
export function plannedThreads(asked: number | undefined): number {
  const processors = Math.min(Math.max(platform.parallelism(), 1), MOST_THREADS);
  const threads = checkRange("threads", asked ?? processors, 1, MOST_THREADS);
  return platform.hasThreads() ? Math.min(threads, processors) : 1;
}

/** Why fewer threads compute than requested; undefined if there are enough processors. */
export function excessOfThreads(asked: number | undefined): Error | undefined {
  const processors = platform.parallelism();
  if (asked === undefined || asked <= processors) return undefined;
  return new Error(`expected at most ${processors} threads, the processors here, got ${asked}`);
}

function checkFlag(name: string, value: boolean): boolean {
  if (typeof value === "boolean") return value;
  throw invalidArgument(name, "a boolean", describeValue(value));
}

function checkLimit(limitBytes: number): number {
  if (typeof limitBytes === "number" && limitBytes > 0) return limitBytes;
  throw invalidArgument("memoryLimitBytes", "a positive number", describeValue(limitBytes));
}

/** One of the choices, or INVALID_ARGUMENT. */
export function checkChoice<T extends string>(name: string, value: T, choices: readonly T[]): T {
  if (choices.includes(value)) return value;
  throw invalidArgument(name, choices.join(", "), describeValue(value));
}

/** Every option, or INVALID_ARGUMENT for one that is out of range. */
export function checkOptions(options: ModelOptions, config: PlmConfig): PlannedOptions {
  const { cacheTokens } = options;
  if (cacheTokens !== undefined) checkRange("cacheTokens", cacheTokens, 1, MOST_TOKENS);
  const most = Math.min(config.maxPositionEmbeddings, cacheTokens ?? Infinity);
  const contextLength = checkRange("contextLength", options.contextLength ?? most, 1, most);
  const cacheType = checkChoice("cacheType", options.cacheType ?? "i16", CACHE_TYPES);
  if (cacheType === "q8_0" && config.qkRopeHeadDim % 32 > 0) {
    const expected = "rope dims in multiples of 32 for q8_0";
    throw invalidArgument("cacheType", expected, String(config.qkRopeHeadDim));
  }
  return {
    contextLength,
    cacheType,
    attention: checkChoice("attention", options.attention ?? "auto", ATTENTION_FORMS),
    batchSize: Math.min(
      contextLength,
      checkRange("batchSize", options.batchSize ?? DEFAULT_BATCH, 1, 1 << 16),
    ),
    maxSequences: checkRange("maxSequences", options.maxSequences ?? 16, 1, 1 << 10),
    cacheTokens: cacheTokens ?? contextLength,
    prefixCache: checkFlag("prefixCache", options.prefixCache ?? true),
    threads: plannedThreads(options.threads),
    precision: checkChoice("precision", options.precision ?? "balanced", PRECISIONS),
    residentLayers: checkRange(
      "residentLayers",
      options.residentLayers ?? config.numHiddenLayers,
      1,
      config.numHiddenLayers,
    ),
    memoryLimitBytes: checkLimit(options.memoryLimitBytes ?? MAX_MEMORY_BYTES),
  };
}
