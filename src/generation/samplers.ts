/**
 * Samplers: from logits to one token. The chain is llama.cpp's default: top-k, typical-p, top-p,
 * min-p, temperature, draw. Each step renormalises over the tokens that the one before has left;
 * temperature comes last, so it does not change which are cut. Sums are in f64.
 *
 * The same logits and the same seed give the same token. Math.exp may differ by a unit in the last
 * place between engines; this matters only if a draw or a share is within rounding of an edge.
 */
import {
  type Candidates,
  createCandidates,
  keepAtLeast,
  keepBest,
  maxLogit,
  rejectLogit,
  rejectNoCandidates,
  selectAll,
  selectTopK,
} from "./candidates.js";
import type { RandomSource } from "./random.js";

/** Chooses a token from f32[vocabSize] logits, which it does not change. */
export type Sampler = (logits: Float32Array) => number;

/** The settings of the chain; ranges and defaults in options.ts. */
export interface SamplerOptions {
  temperature: number;
  topK: number;
  topP: number;
  minP: number;
  typicalP: number;
}

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

/** The sampler for these settings: greedy at temperature 0, else the chain. */
export function createSampler(options: SamplerOptions, random: RandomSource): Sampler {
  const { temperature, topK, topP, minP, typicalP } = options;
  if (temperature === 0) return sampleGreedy;
  let candidates = createCandidates(0);
  let scratch = createCandidates(0);
  return (logits) => {
    const truncated = topK > 0 && topK < logits.length;
    const capacity = truncated ? topK : logits.length;
    if (candidates.ids.length < capacity) candidates = createCandidates(capacity);
    if (truncated) selectTopK(logits, topK, candidates);
    else selectAll(logits, candidates);
    if (typicalP < 1) {
      if (scratch.ids.length < capacity) scratch = createCandidates(capacity);
      keepTypicalP(candidates, typicalP, logits, scratch);
    }
    keepTopP(candidates, topP);
    keepMinP(candidates, minP);
    return draw(candidates, temperature, random);
  };
}

/**
 * Nucleus sampling (Holtzman et al. 2019): keeps the fewest best candidates whose probabilities add
 * up to at least `topP`, at least one. 1 keeps all.
 */
export function keepTopP(candidates: Candidates, topP: number): void {
  if (topP >= 1) return;
  const max = maxLogit(candidates);
  const total = totalWeight(candidates, max);
  if (!candidates.sorted) {
    // The tokens below (1 - topP) / n have less than 1 - topP together, so all of them may go; half
    // of it leaves room for rounding. Of a peaked distribution few are left to sort.
    const negligible = (0.5 * (1 - topP) * total) / candidates.length;
    keepAtLeast(candidates, max + Math.log(negligible));
  }
  let sum = 0;
  keepBest(candidates, (logit) => {
    sum += Math.exp(logit - max);
    return sum >= topP * total;
  });
}

/** Keeps the candidates at least `minP` times as probable as the best. 0 keeps all. */
export function keepMinP(candidates: Candidates, minP: number): void {
  if (minP > 0) keepAtLeast(candidates, maxLogit(candidates) + Math.log(minP));
}

/**
 * Locally typical sampling (Meister et al. 2022): keeps the fewest candidates whose surprise is
 * nearest to the expected one (the entropy) and whose probabilities add up to at least `typicalP`,
 * at least one. Equally near: lower id first. 1 keeps all. `allLogits` is f32[vocabSize], what the
 * candidates were selected from; `scratch` has room for as many.
 */
export function keepTypicalP(
  candidates: Candidates,
  typicalP: number,
  allLogits: Float32Array,
  scratch: Candidates,
): void {
  if (typicalP >= 1) return;
  const max = maxLogit(candidates);
  const { ids, logits, length } = candidates;
  let total = 0;
  let meanLogit = 0;
  for (let i = 0; i < length; i++) {
    const weight = Math.exp(logits[i] - max);
    total += weight;
    meanLogit += weight * (logits[i] - max);
  }
  meanLogit = max + meanLogit / total;
  // Surprise less entropy is the mean logit less the logit: the normaliser cancels.
  const typical = { ...scratch, length, sorted: false };
  for (let i = 0; i < length; i++) {
    typical.ids[i] = ids[i];
    typical.logits[i] = -Math.abs(logits[i] - meanLogit);
  }
  let sum = 0;
  keepBest(typical, (_, id) => {
    sum += Math.exp(allLogits[id] - max);
    return sum >= typicalP * total;
  });
  for (let i = 0; i < typical.length; i++) {
    ids[i] = typical.ids[i];
    logits[i] = allLogits[ids[i]];
  }
  candidates.length = typical.length;
  candidates.sorted = typical.length === 1;
}

/**
 * One candidate at random, by the softmax of logits / temperature; temperature above 0. Writes the
 * weights over the candidates' logits.
 */
export function draw(candidates: Candidates, temperature: number, random: RandomSource): number {
  const { ids, logits: weights, length } = candidates;
  const max = maxLogit(candidates);
  let total = 0;
  for (let i = 0; i < length; i++) {
    weights[i] = Math.exp((weights[i] - max) / temperature);
    total += weights[i];
  }
  let left = random() * total;
  let drawn = 0;
  for (let i = 0; i < length; i++) {
    if (weights[i] === 0) continue;
    drawn = i;
    left -= weights[i];
    if (left < 0) break;
  }
  return ids[drawn];
}

/** The sum of exp(logit - max). */
function totalWeight({ logits, length }: Candidates, max: number): number {
  let total = 0;
  for (let i = 0; i < length; i++) total += Math.exp(logits[i] - max);
  return total;
}
