/**
 * Samplers: from logits to one token. The chain is llama.cpp's default unless `samplers` says
 * otherwise: top-n-sigma, top-k, typical-p, top-p, min-p, XTC, temperature, draw. Each step
 * renormalises over the tokens that the one before has left; temperature comes last, so it does not
 * change which are cut.
 *
 * The same logits and the same seed give the same token. Math.exp may differ by a unit in the last
 * place between engines; this matters only if a draw or a share is within rounding of an edge.
 */
import {
  type Candidates,
  createCandidates,
  keepBest,
  maxLogit,
  rejectLogit,
  rejectNoCandidates,
  selectAll,
  selectTopK,
} from "./candidates.js";
import { draw } from "./draw.js";
import { createMirostat } from "./mirostat.js";
import type { RandomSource } from "./random.js";
import {
  excludeTopChoices,
  keepMinP,
  keepTopK,
  keepTopNSigma,
  keepTopP,
  keepTypicalP,
  weighted,
} from "./truncation.js";

/** Chooses a token from f32[vocabSize] logits, which it does not change. */
export type Sampler = (logits: Float32Array) => number;

/** The steps of the chain, in their default order. */
export const SAMPLERS = [
  "topNSigma",
  "topK",
  "typicalP",
  "topP",
  "minP",
  "xtc",
  "temperature",
] as const;

/** One of SAMPLERS. */
export type SamplerName = (typeof SAMPLERS)[number];

/** The settings of the chain; ranges and defaults in options.ts. */
export interface SamplerOptions {
  temperature: number;
  topK: number;
  topP: number;
  minP: number;
  typicalP: number;
  topNSigma: number;
  xtcProbability: number;
  xtcThreshold: number;
  dynatempRange: number;
  dynatempExponent: number;
  mirostat: 0 | 1 | 2;
  mirostatTau: number;
  mirostatEta: number;
  samplers: readonly SamplerName[];
}

/** The candidates of one token on their way through the chain. */
interface Passed {
  readonly candidates: Candidates;
  /** f32[vocabSize] */
  readonly logits: Float32Array;
  /** What has become of a logit on the way. */
  scale: (logit: number) => number;
}

/** A step; it changes which candidates there are, or their logits. */
type Step = (passed: Passed) => void;

/**
 * The token with the highest logit, the lowest id among equals. Throws PlmError INVALID_ARGUMENT
 * for NaN, +Infinity, or -Infinity everywhere.
 */
export function sampleGreedy(logits: Float32Array): number {
  let best = -1;
  let max = -Infinity;
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id];
    if (logit <= max) continue;
    if (!(logit < Infinity)) rejectLogit(logit, id);
    max = logit;
    best = id;
  }
  if (best < 0) rejectNoCandidates();
  return best;
}

/** The sampler for these settings: greedy at temperature 0, else mirostat or the chain. */
export function createSampler(options: SamplerOptions, random: RandomSource): Sampler {
  if (options.temperature === 0) return sampleGreedy;
  if (options.mirostat !== 0) return createMirostat(options, random);
  const chain = createChain(options, random);
  return (logits) => {
    const { candidates, temperature } = chain(logits);
    return draw(candidates, temperature, random).token;
  };
}

/** What a chain leaves to be drawn from; the candidates are good until the next call. */
export interface Left {
  readonly candidates: Candidates;
  readonly temperature: number;
}

/** The steps before the draw. */
export function createChain(
  options: SamplerOptions,
  random: RandomSource,
): (logits: Float32Array) => Left {
  const { topK, samplers } = options;
  // A temperature at the end is left to the draw.
  const isDrawn = samplers[samplers.length - 1] === "temperature";
  const steps = stepsOf(isDrawn ? samplers.slice(0, -1) : samplers, options, random);
  const beginsWithTopK = steps[0]?.name === "topK";
  let candidates = createCandidates(0);
  return (logits) => {
    const truncated = beginsWithTopK && topK < logits.length;
    const capacity = truncated ? topK : logits.length;
    if (candidates.ids.length < capacity) candidates = createCandidates(capacity);
    if (truncated) selectTopK(logits, topK, candidates);
    else selectAll(logits, candidates);
    const passed: Passed = { candidates, logits, scale: (logit) => logit };
    for (const { apply } of truncated ? steps.slice(1) : steps) apply(passed);
    return { candidates, temperature: isDrawn ? temperatureOf(candidates, options) : 1 };
  };
}

/** Those of the steps that do anything, in order. */
function stepsOf(
  samplers: readonly SamplerName[],
  options: SamplerOptions,
  random: RandomSource,
): { readonly name: SamplerName; readonly apply: Step }[] {
  const { topK, topP, minP, typicalP, topNSigma, xtcProbability, xtcThreshold } = options;
  let scratch = createCandidates(0);
  const apply: Readonly<Record<SamplerName, Step | undefined>> = {
    topNSigma: topNSigma > 0 ? (at) => keepTopNSigma(at.candidates, topNSigma) : undefined,
    topK: topK > 0 ? (at) => keepTopK(at.candidates, topK) : undefined,
    typicalP:
      typicalP < 1
        ? ({ candidates, logits, scale }) => {
            const { length } = candidates;
            if (scratch.ids.length < length) scratch = createCandidates(length);
            keepTypicalP(candidates, typicalP, (id) => scale(logits[id]), scratch);
          }
        : undefined,
    topP: topP < 1 ? (at) => keepTopP(at.candidates, topP) : undefined,
    minP: minP > 0 ? (at) => keepMinP(at.candidates, minP) : undefined,
    xtc:
      xtcProbability > 0
        ? (at) => excludeTopChoices(at.candidates, xtcProbability, xtcThreshold, random)
        : undefined,
    temperature: (at) => {
      const divisor = temperatureOf(at.candidates, options);
      const { logits, length } = at.candidates;
      const max = maxLogit(at.candidates);
      // From the best on, and finite: infinities less infinities are no numbers.
      at.scale = (logit) => Math.max((logit - max) / divisor, -Number.MAX_VALUE);
      for (let i = 0; i < length; i++) logits[i] = at.scale(logits[i]);
    },
  };
  return samplers.flatMap((name) => {
    const step = apply[name];
    return step === undefined ? [] : [{ name, apply: step }];
  });
}

/**
 * The temperature for these candidates: with a range, from temperature - range for a certain choice
 * to temperature + range for an even one, by their entropy over the most that it could be, to the
 * power of the exponent (llama.cpp's dynamic temperature). Leaves only the best where it is 0.
 */
function temperatureOf(
  candidates: Candidates,
  { temperature, dynatempRange: range, dynatempExponent }: SamplerOptions,
): number {
  if (range === 0 || candidates.length < 2) return temperature;
  const most = Math.log(candidates.length);
  const share = Math.min(Math.max(entropyOf(candidates) / most, 0), 1);
  const least = Math.max(0, temperature - range);
  const found = least + (temperature + range - least) * share ** dynatempExponent;
  if (found > 0) return found;
  keepBest(candidates, () => true);
  return 1;
}

/** Nats. */
function entropyOf(candidates: Candidates): number {
  const { total, mean } = weighted(candidates, maxLogit(candidates));
  return Math.log(total) - mean;
}
