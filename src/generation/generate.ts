/** The generate loop: evaluates the prompt, then chooses, shows and evaluates tokens one by one. */
import { checkOptions } from "../brands.js";
import { now as clock } from "../clock.js";
import { invalidArgument, PlmError } from "../errors.js";
import type { Vocabulary } from "../grammar/constraints.js";
import type { Phase } from "../model/batch.js";
import type { Evaluator, EvaluatorOptions, TokenDecoder } from "./evaluator.js";
import { createRecord, Generation, type GenerationRecord } from "./generation.js";
import { createLogitsProcessors } from "./logits-processors.js";
import { computeLogprobs } from "./logprobs.js";
import { type GenerateOptions, type ResolvedOptions, resolveOptions } from "./options.js";
import { createRandomSource } from "./random.js";
import { applyChanges, type RecordChanges } from "./record-changes.js";
import { createSampler } from "./samplers.js";
import { findFinishReason } from "./stopping-criteria.js";
import { createStreamer, type Streamer, textOf } from "./streamer.js";
import { takeCalls } from "./tool-calls/take-calls.js";

/** What the loop is given besides its input. */
export interface GenerateEnvironment {
  /**
   * The phase in which the prompt is evaluated. Default: prefill; decode repeats tokens that were
   * generated, exactly.
   */
  promptPhase?: Phase;
  /** The time in milliseconds, from any start. Default: performance.now, as it was at import. */
  now?: () => number;
  /** Whether calls of tools are taken out of the text, into the result. Default false. */
  takesCalls?: boolean;
  /** Called once when a generation that began has ended, for whatever reason. */
  onEnd?: () => void;
}

/**
 * Continues a prompt. Nothing is evaluated until the generation is read: loop over it for the
 * pieces of text, or call its `text()` or `result()`.
 *
 * The prompt follows the tokens that the evaluator already has; the repetition penalty looks back
 * on both. Afterwards the evaluator holds the prompt and every generated token except the last,
 * which was chosen and not evaluated.
 *
 * Throws PlmError INVALID_ARGUMENT for a bad option and EMPTY_PROMPT for a prompt without tokens.
 * The loop rejects with what the evaluator throws (INVALID_TOKEN, CONTEXT_FULL, ...), with
 * INVALID_ARGUMENT if the logits are not numbers, if every token is banned, or if the repetition
 * penalty needs the evaluated tokens and the evaluator has none, and with the signal's reason if
 * that aborts.
 */
export function generate(
  evaluator: Evaluator,
  decoder: TokenDecoder,
  promptTokens: ArrayLike<number>,
  options: GenerateOptions = {},
  environment: GenerateEnvironment = {},
): Generation {
  checkOptions(options);
  const resolved = resolveOptions(options, evaluator.vocabSize);
  if (promptTokens.length === 0) {
    throw new PlmError("EMPTY_PROMPT", "promptTokens: expected at least one token, got none");
  }
  const prompt = Array.from(promptTokens);
  const record = createRecord(resolved, prompt.length);
  const { onEnd, takesCalls = false } = environment;
  const all = generatePieces({ evaluator, decoder, prompt }, resolved, record, environment);
  const pieces = takesCalls ? takeCalls(all, record) : all;
  return new Generation(record, onEnd === undefined ? pieces : thenCall(pieces, onEnd));
}

/** The pieces, and a call when they are over. */
async function* thenCall(
  pieces: AsyncGenerator<string, void>,
  onEnd: () => void,
): AsyncGenerator<string, void> {
  try {
    yield* pieces;
  } finally {
    onEnd();
  }
}

/** The evaluator, the decoder and the prompt of one generation. */
export interface GenerationParts {
  readonly evaluator: Evaluator;
  readonly decoder: TokenDecoder;
  readonly prompt: readonly number[];
}

/** Yields the pieces and fills in the record. The clock stops while the reader has a piece. */
export async function* generatePieces(
  { evaluator, decoder, prompt }: GenerationParts,
  options: ResolvedOptions,
  record: GenerationRecord,
  { now = clock, promptPhase = "prefill" }: Omit<GenerateEnvironment, "onEnd" | "takesCalls"> = {},
): AsyncGenerator<string, void> {
  const { signal, ...sent } = options;
  if (evaluator.generateElsewhere !== undefined && evaluator.decoderElsewhere === decoder) {
    const loop = { prompt, options: sent, phase: promptPhase };
    for await (const { piece, record: changes } of evaluator.generateElsewhere(loop, signal)) {
      applyChanges(record, changes as RecordChanges);
      record.text += piece ?? "";
      if (piece !== undefined) yield piece;
    }
    return;
  }
  const streamer = createStreamer(decoder, options);
  const constraint = await createConstraintOf(options, decoder);
  const promptTokens = withEvaluated(evaluator, prompt, options);
  const chooseToken = createChooser(decoder, promptTokens, options, constraint);
  let startMs = now();
  let logits = await evaluate(evaluator, prompt, { phase: promptPhase, signal });
  record.prefillMs = now() - startMs;
  record.cachedTokens = evaluator.cachedTokens ?? 0;
  if (options.maxTokens === 0) record.finishReason = "length";

  while (record.finishReason === undefined) {
    startMs = now();
    const token = chooseToken(logits, record);
    const room = evaluator.contextLength - evaluator.length;
    const piece = acceptToken(token, record, streamer, {
      isEos: decoder.eosTokenIds.has(token) && !options.ignoreEos,
      isComplete: constraint?.isComplete ?? false,
      maxTokens: options.maxTokens,
      room,
    });
    record.decodeMs += now() - startMs;
    if (piece !== "") {
      record.text += piece;
      yield piece;
    }
    if (record.finishReason !== undefined) return;
    startMs = now();
    logits = await evaluate(evaluator, [token], { phase: "decode", out: logits, signal });
    record.decodeMs += now() - startMs;
    record.decodedTokens++;
  }
}

/** The prompt as penalties see it: after the tokens already evaluated. */
function withEvaluated(
  evaluator: Evaluator,
  prompt: readonly number[],
  { repetitionPenalty, repetitionWindow, dryMultiplier, dryWindow }: ResolvedOptions,
): readonly number[] {
  const { length } = evaluator;
  const isRepetitive = repetitionPenalty !== 1 && prompt.length < repetitionWindow;
  const isReached = isRepetitive || (dryMultiplier > 0 && prompt.length < dryWindow);
  if (!isReached || length === 0) return prompt;
  const { tokens } = evaluator;
  if (tokens?.length === length) return Array.from(tokens).concat(prompt);
  const option = isRepetitive ? "repetitionPenalty" : "dryMultiplier";
  const expected = `the ${length} evaluated tokens, which ${option} looks back on`;
  const got = tokens === undefined ? "nothing" : String(tokens.length);
  throw invalidArgument("evaluator.tokens", expected, got);
}

/** What is known of a token when it is added. */
interface TokenState {
  readonly isEos: boolean;
  /** Whether the text has its form with it, and only so. */
  readonly isComplete: boolean;
  readonly maxTokens: number;
  readonly room: number;
}

/** Adds a token to the record and finds out whether it is the last. Returns the text to show. */
function acceptToken(
  token: number,
  record: GenerationRecord,
  streamer: Streamer,
  { isEos, isComplete, maxTokens, room }: TokenState,
): string {
  let piece = "";
  if (isEos) {
    record.eosToken = token;
  } else {
    record.tokens.push(token);
    piece = streamer.push(token);
  }
  const generated = record.tokens.length;
  record.finishReason = findFinishReason({
    isEos: isEos || isComplete,
    stop: streamer.stop,
    generated,
    maxTokens,
    room,
  });
  if (record.finishReason !== undefined) piece += streamer.end();
  if (streamer.stop !== undefined) {
    // Incomplete last bytes become U+FFFD, which may complete a stop string.
    record.finishReason = "stop";
    record.stop = streamer.stop;
  }
  return piece;
}

/** What holds the text to a form. */
interface Constraint {
  readonly isComplete: boolean;
  mask(logits: Float32Array): void;
  accept(token: number): void;
}

/** The constraint of a response format, of which the code is loaded when one is asked for. */
async function createConstraintOf(
  { responseFormat }: ResolvedOptions,
  decoder: TokenDecoder,
): Promise<Constraint | undefined> {
  if (responseFormat === undefined) return undefined;
  if (decoder.tokenTexts === undefined) {
    throw invalidArgument("decoder.tokenTexts", "what responseFormat needs", "nothing");
  }
  const { createConstraint } = await import("../grammar/constraints.js");
  return createConstraint(decoder as Vocabulary, responseFormat);
}

/** Processors and sampler in one; also records the log probability of the token. */
function createChooser(
  decoder: TokenDecoder,
  promptTokens: readonly number[],
  options: ResolvedOptions,
  constraint: Constraint | undefined,
): (logits: Float32Array, record: GenerationRecord) => number {
  const logitBias = new Map(options.logitBias);
  if (options.ignoreEos) for (const id of decoder.eosTokenIds) logitBias.set(id, -Infinity);
  const processors = createLogitsProcessors({ ...options, logitBias }, (token) =>
    textOf(decoder, token, true),
  );
  const sample = createSampler(options, createRandomSource(options.seed));
  let processed = new Float32Array(0);
  return (logits, { tokens, logprobs }) => {
    let chosenFrom = logits;
    if (processors.length > 0 || constraint !== undefined) {
      // A copy: the logits belong to the evaluator, and log probabilities need the raw ones.
      if (processed.length !== logits.length) processed = new Float32Array(logits.length);
      processed.set(logits);
      for (const process of processors) process(processed, { promptTokens, tokens });
      constraint?.mask(processed);
      chosenFrom = processed;
    }
    const token = sample(chosenFrom);
    if (!decoder.eosTokenIds.has(token)) {
      constraint?.accept(token);
      logprobs?.push(computeLogprobs(logits, token, options.logprobs));
    }
    return token;
  };
}

/** Evaluates; an abort counts even if the evaluator does not look at the signal. */
async function evaluate(
  evaluator: Evaluator,
  tokens: readonly number[],
  options: EvaluatorOptions,
): Promise<Float32Array> {
  const { signal } = options;
  signal?.throwIfAborted();
  const logits = await evaluator.evaluate(tokens, options);
  signal?.throwIfAborted();
  return logits;
}
