/**
 * Truncations: which candidates may still be chosen. Each looks at the probabilities among those
 * that the one before has left. Sums are in f64.
 */
import { type Candidates, keepAtLeast, keepBest, maxLogit } from "./candidates.js";
import type { RandomSource } from "./random.js";

/**
 * Top-n-sigma (Tang et al. 2024): keeps the candidates whose logit is at most `n` standard
 * deviations below the best. 0 keeps all.
 */
export function keepTopNSigma(candidates: Candidates, n: number): void {
  const { logits, length } = candidates;
  if (n === 0 || length < 2) return;
  const max = maxLogit(candidates);
  // From the best on: large numbers would cancel.
  let sum = 0;
  for (let i = 0; i < length; i++) sum += logits[i] - max;
  const mean = sum / length;
  let squares = 0;
  for (let i = 0; i < length; i++) squares += (logits[i] - max - mean) ** 2;
  keepAtLeast(candidates, max - n * Math.sqrt(squares / length));
}

/** Keeps the `k` best candidates. 0 keeps all. */
export function keepTopK(candidates: Candidates, k: number): void {
  if (k === 0 || k >= candidates.length) return;
  let kept = 0;
  keepBest(candidates, () => ++kept === k);
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
 * at least one. Equally near: lower id first. 1 keeps all. `logitOf` gives candidates' logits by
 * their ids; `scratch` has room for as many.
 */
export function keepTypicalP(
  candidates: Candidates,
  typicalP: number,
  logitOf: (id: number) => number,
  scratch: Candidates,
): void {
  if (typicalP >= 1) return;
  const max = maxLogit(candidates);
  const { ids, logits, length } = candidates;
  const { total, mean } = weighted(candidates, max);
  const meanLogit = max + mean;
  // Surprise less entropy is the mean logit less the logit: the normaliser cancels.
  const typical = { ...scratch, length, sorted: false };
  for (let i = 0; i < length; i++) {
    typical.ids[i] = ids[i];
    typical.logits[i] = -Math.abs(logits[i] - meanLogit);
  }
  let sum = 0;
  keepBest(typical, (_, id) => {
    sum += Math.exp(logitOf(id) - max);
    return sum >= typicalP * total;
  });
  for (let i = 0; i < typical.length; i++) {
    ids[i] = typical.ids[i];
    logits[i] = logitOf(ids[i]);
  }
  candidates.length = typical.length;
  candidates.sorted = typical.length === 1;
}

/**
 * Exclude top choices (p-e-w, llama.cpp): with this probability, drops all candidates that have at
 * least `threshold` of the probability, except the least probable of these. Takes a random number
 * whenever the threshold is at most a half; above it, no two candidates can have that much.
 */
export function excludeTopChoices(
  candidates: Candidates,
  probability: number,
  threshold: number,
  random: RandomSource,
): void {
  if (probability === 0 || threshold > 0.5 || candidates.length < 2) return;
  if (random() >= probability) return;
  const { ids, logits, length } = candidates;
  const max = maxLogit(candidates);
  const least = threshold * totalWeight(candidates, max);
  const isTop = (logit: number): boolean => Math.exp(logit - max) >= least;
  let last = -1;
  for (let i = 0; i < length; i++) {
    if (isTop(logits[i]) && (last < 0 || isWorse(candidates, i, last))) last = i;
  }
  let kept = 0;
  for (let i = 0; i < length; i++) {
    if (isTop(logits[i]) && i !== last) continue;
    ids[kept] = ids[i];
    logits[kept++] = logits[i];
  }
  candidates.length = kept;
}

/** Whether candidate i comes after j in the order of candidates. */
function isWorse({ ids, logits }: Candidates, i: number, j: number): boolean {
  return logits[i] < logits[j] || (logits[i] === logits[j] && ids[i] > ids[j]);
}

/** The sum of exp((logit - max) / temperature). */
export function totalWeight(
  { logits, length }: Candidates,
  max: number,
  temperature: number = 1,
): number {
  let total = 0;
  for (let i = 0; i < length; i++) total += Math.exp((logits[i] - max) / temperature);
  return total;
}

/** The sum of exp(logit - max), and the mean of logit - max by these weights. */
export function weighted(
  { logits, length }: Candidates,
  max: number,
): { total: number; mean: number } {
  let [total, sum] = [0, 0];
  for (let i = 0; i < length; i++) {
    const weight = Math.exp(logits[i] - max);
    total += weight;
    sum += weight * (logits[i] - max);
  }
  return { total, mean: sum / total };
}
