/** What `plm bench` measures: times of prefill and decoding, and what memory allows. */
import type { Model } from "../generation/model.js";
import { createRandomSource } from "../generation/random.js";
import type { Session } from "../model/session.js";
import { eachWeight, weightBytes } from "../model/weights.js";

/** A measurement: where, from which depth, how often. */
export interface BenchRun {
  readonly session: Session;
  readonly depth: number;
  readonly repeat: number;
  readonly signal: AbortSignal;
}

/** Tokens of the runs that are not counted, while the runtime compiles what it runs. */
const WARM_UP_TOKENS = 8;

/** A plain read is repeated until it took this long. */
const READ_MS = 50;

/** The same tokens every time. */
function randomTokens(session: Session, count: number): number[] {
  const random = createRandomSource(1);
  return Array.from({ length: count }, () => Math.floor(random() * session.vocabSize));
}

/** The middle one; the mean of two where the count is even. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Sets the session to `depth` tokens, evaluating what is missing. */
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

/** Median milliseconds of decoding `count` tokens one by one, the best taken always; 0 for none. */
export async function measureDecode(run: BenchRun, count: number): Promise<number> {
  if (count === 0) return 0;
  await fill(run);
  await decode(run, Math.min(WARM_UP_TOKENS, count));
  const times: number[] = [];
  for (let i = 0; i < run.repeat; i++) {
    await fill(run);
    const startMs = performance.now();
    await decode(run, count);
    times.push(performance.now() - startMs);
  }
  return median(times);
}

async function decode({ session, signal }: BenchRun, count: number): Promise<void> {
  let [token] = randomTokens(session, 1);
  const out = new Float32Array(session.vocabSize);
  for (let i = 0; i < count; i++) {
    const logits = await session.evaluate([token], { out, signal });
    token = 0;
    for (let id = 1; id < logits.length; id++) if (logits[id] > logits[token]) token = id;
  }
}

/** 1e9 bytes a second of a plain read of all weights: the median of `repeat` rounds. */
export function measureRead(model: Model, repeat: number): number {
  const rates: number[] = [];
  model.readWeights();
  for (let i = 0; i < repeat; i++) {
    let bytes = 0;
    let elapsedMs = 0;
    const startMs = performance.now();
    do {
      bytes += model.readWeights();
      elapsedMs = performance.now() - startMs;
    } while (elapsedMs < READ_MS);
    rates.push(bytes / elapsedMs / 1e6);
  }
  return median(rates);
}

/**
 * Bytes of weights that decoding one token reads: with every neuron, and with the share of the
 * down-projections' neurons that were not zero. Embeddings that are not the output head as well are
 * not counted: decoding reads one row.
 */
export function readPerToken({ plan, zeroShare }: Model): { bytes: number; denseBytes: number } {
  const { weights } = plan;
  let denseBytes = 0;
  let downBytes = 0;
  for (const weight of eachWeight(weights)) {
    if (weight === weights.embedTokens && weight !== weights.lmHead) continue;
    denseBytes += weightBytes(weight);
    if (weight.layout === "slab") downBytes += weightBytes(weight);
  }
  const zeros = Number.isNaN(zeroShare) ? 0 : zeroShare;
  return { bytes: Math.round(denseBytes - downBytes * zeros), denseBytes };
}
