/** The measurements of `plm bench`: prefill, decoding, and plain reads of memory. */

import type { Session } from "../engine/session.js";
import type { Model } from "../generation/model.js";
import { createRandomSource } from "../generation/random.js";
import { eachWeight, slabRunBytes, weightBytes } from "../model/weights.js";

/** A measurement: its session, depth and number of rounds. */
export interface BenchRun {
  readonly session: Session;
  readonly depth: number;
  readonly repeat: number;
  readonly signal: AbortSignal;
}

/** Tokens of the warm-up, during which the runtime compiles. */
const WARM_UP_TOKENS = 8;

/** Plain reads of small models are repeated for this long. */
const READ_MS = 50;

/** The same tokens every time, for each seed. */
function randomTokens(session: Session, count: number, seed = 1): number[] {
  const random = createRandomSource(seed);
  return Array.from({ length: count }, () => Math.floor(random() * session.vocabSize));
}

/** The median; 0 without values. */
export function median(values: readonly number[]): number {
  if (values.length === 0) return 0;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Tokens per second; 0 without tokens. */
export function rate(tokens: number, durationMs: number): number {
  return durationMs > 0 ? (1000 * tokens) / durationMs : 0;
}

/** Sets the session to `depth` tokens, evaluating those that are missing. */
async function fill({ session, depth, signal }: BenchRun): Promise<void> {
  session.truncate(Math.min(session.length, depth));
  const missing = randomTokens(session, depth).slice(session.length);
  if (missing.length > 0) await session.evaluate(missing, { logits: "none", signal });
}

/** Median milliseconds of evaluating `count` tokens at once, 0 for none. */
export async function measurePrefill(run: BenchRun, count: number): Promise<number> {
  if (count === 0) return 0;
  const { session, signal } = run;
  const tokens = randomTokens(session, count);
  await fill(run);
  await session.evaluate(tokens.slice(0, WARM_UP_TOKENS), { signal });
  const times: number[] = [];
  for (let i = 0; i < run.repeat; i++) {
    await fill(run);
    const startMs = performance.now();
    await session.evaluate(tokens, { signal });
    times.push(performance.now() - startMs);
  }
  return median(times);
}

/** One round of decoding, and a plain read of all weights right after it. */
export interface DecodeRound {
  readonly decodeMs: number;
  /** Rate of the read, in 1e9 bytes per second. */
  readonly readGBs: number;
  /** Share of the round's squared-ReLU activations that were zero. */
  readonly zeroShare: number;
}

/**
 * Rounds of decoding `count` tokens one by one, always the best token, each with a plain read: the
 * two are compared within a round, since a machine's speed changes. No rounds for 0 tokens.
 */
export async function measureDecode(
  model: Model,
  run: BenchRun,
  count: number,
): Promise<DecodeRound[]> {
  if (count === 0) return [];
  await fill(run);
  await decode(run, Math.min(WARM_UP_TOKENS, count));
  await model.readWeights();
  const rounds: DecodeRound[] = [];
  for (let i = 0; i < run.repeat; i++) {
    await fill(run);
    const before = model.sparsity;
    const startMs = performance.now();
    await decode(run, count);
    const decodeMs = performance.now() - startMs;
    const after = model.sparsity;
    const nonZero = after.nonZero - before.nonZero;
    const zeroShare = 1 - nonZero / (after.activations - before.activations);
    rounds.push({ decodeMs, readGBs: await measureRead(model), zeroShare });
  }
  return rounds;
}

async function decode(
  { session, signal }: Pick<BenchRun, "session" | "signal">,
  count: number,
): Promise<void> {
  let [token] = randomTokens(session, 1);
  const out = new Float32Array(session.vocabSize);
  for (let i = 0; i < count; i++) {
    const logits = await session.evaluate([token], { out, signal });
    token = 0;
    for (let id = 1; id < logits.length; id++) if (logits[id] > logits[token]) token = id;
  }
}

/** Milliseconds of rounds in which one sequence decodes, and then all of them together. */
export interface SequencesTimes {
  readonly aloneMs: number;
  readonly togetherMs: number;
}

/**
 * Median milliseconds of decoding `count` tokens in one sequence, and in `sequences` of them at
 * once; the rounds of the two alternate, since a machine's speed changes.
 */
export async function measureSequences(
  model: Model,
  { depth, repeat, signal }: Omit<BenchRun, "session">,
  sequences: number,
  count: number,
): Promise<SequencesTimes> {
  const sessions = Array.from({ length: sequences }, () => model.createSession());
  const decodeIn = async (some: readonly Session[], tokens: number): Promise<number> => {
    for (const session of some) await fill({ session, depth, repeat, signal });
    const startMs = performance.now();
    await Promise.all(some.map((session) => decode({ session, signal }, tokens)));
    return performance.now() - startMs;
  };
  await decodeIn(sessions, Math.min(WARM_UP_TOKENS, count));
  const alone: number[] = [];
  const together: number[] = [];
  for (let i = 0; i < repeat; i++) {
    alone.push(await decodeIn(sessions.slice(0, 1), count));
    together.push(await decodeIn(sessions, count));
  }
  for (const session of sessions) session.dispose();
  return { aloneMs: median(alone), togetherMs: median(together) };
}

/** Tokens of a prompt behind those that it shares with another. */
export const TAIL_TOKENS = 20;

/** The time to the first token of a prompt, and behind the same tokens of another. */
export interface FirstToken {
  readonly coldMs: number;
  /** Median. */
  readonly warmMs: number;
  /** Tokens that were reused. */
  readonly cachedTokens: number;
}

/** Measures prompts of `shared` tokens, the same in all, and a tail of each one's own. */
export async function measureFirstToken(
  model: Model,
  { repeat, signal }: Pick<BenchRun, "repeat" | "signal">,
  shared: number,
): Promise<FirstToken> {
  const measure = async (tail: number): Promise<{ ms: number; cachedTokens: number }> => {
    const session = model.createSession();
    const tokens = randomTokens(session, shared).concat(randomTokens(session, TAIL_TOKENS, tail));
    const startMs = performance.now();
    await session.evaluate(tokens, { signal });
    const ms = performance.now() - startMs;
    const { cachedTokens } = session;
    session.dispose();
    return { ms, cachedTokens };
  };
  // Another prompt, during which the runtime compiles.
  const session = model.createSession();
  await session.evaluate(randomTokens(session, WARM_UP_TOKENS, 2), { signal });
  session.dispose();
  const { ms: coldMs } = await measure(3);
  const warm: { ms: number; cachedTokens: number }[] = [];
  for (let i = 0; i < repeat; i++) warm.push(await measure(4 + i));
  const { cachedTokens } = warm[0];
  return { coldMs, warmMs: median(warm.map(({ ms }) => ms)), cachedTokens };
}

/** The rates with some layers in memory at a time. */
export interface Residency {
  readonly layers: number;
  /** Bytes of the model's memory. */
  readonly memoryBytes: number;
  readonly prefillTokensPerSecond: number;
  readonly decodeTokensPerSecond: number;
}

/** What is measured of each number of layers. */
export interface ResidencyRun extends Omit<BenchRun, "session"> {
  readonly prefill: number;
  readonly decode: number;
}

/** Measures prefill and decoding with each of several numbers of layers in memory. */
export async function measureResidency(
  counts: readonly number[],
  open: (layers: number) => Promise<Model>,
  { prefill, decode, ...common }: ResidencyRun,
): Promise<Residency[]> {
  const found: Residency[] = [];
  for (const layers of counts) {
    const model = await open(layers);
    const run = { ...common, session: model.createSession() };
    const prefillMs = await measurePrefill(run, prefill);
    const rounds = await measureDecode(model, run, decode);
    found.push({
      layers,
      memoryBytes: model.plan.memory.bytes(),
      prefillTokensPerSecond: rate(prefill, prefillMs),
      decodeTokensPerSecond: rate(decode, median(rounds.map(({ decodeMs }) => decodeMs))),
    });
    model.dispose();
  }
  return found;
}

/** Rate of a plain read of all weights, repeated for READ_MS, in 1e9 bytes per second. */
async function measureRead(model: Model): Promise<number> {
  let bytes = 0;
  let elapsedMs = 0;
  const startMs = performance.now();
  do {
    bytes += await model.readWeights();
    elapsedMs = performance.now() - startMs;
  } while (elapsedMs < READ_MS);
  return bytes / elapsedMs / 1e6;
}

/**
 * Bytes of weights that decoding one token reads: with all neurons, and with the share of the
 * down-projections' neurons that were not zero, whose scales are all read. Embeddings count only if
 * they are also the output head: decoding reads one row.
 */
export function readPerToken(
  { plan }: Model,
  zeroShare: number,
): { bytes: number; denseBytes: number } {
  const { weights } = plan;
  let denseBytes = 0;
  let skippedBytes = 0;
  for (const weight of eachWeight(weights)) {
    if (weight === weights.embedTokens && weight !== weights.lmHead) continue;
    denseBytes += weightBytes(weight);
    if (weight.layout === "slab") skippedBytes += zeroShare * slabRunBytes(weight);
  }
  return { bytes: Math.round(denseBytes - skippedBytes), denseBytes };
}

/** Multiplications of one token in prefill, zeros included, without the output head. */
export function prefillMacs({ plan }: Model): number {
  const { weights } = plan;
  let macs = 0;
  for (const weight of eachWeight(weights)) {
    const isHead = weight === weights.embedTokens || weight === weights.lmHead;
    if (!isHead && weight.layout !== "vector") macs += weight.rows * weight.cols;
  }
  return macs;
}
