/**
 * Mirostat (Basu et al. 2021), both versions as in llama.cpp: keeps the surprise of the text near a
 * target by moving a limit after each token. It replaces all truncations.
 */
import {
  type Candidates,
  createCandidates,
  keepAtLeast,
  keepBest,
  maxLogit,
  selectAll,
  selectTopK,
} from "./candidates.js";
import { draw } from "./draw.js";
import type { RandomSource } from "./random.js";
import { totalWeight } from "./truncation.js";

/** The settings; ranges and defaults in options.ts. */
export interface MirostatOptions {
  temperature: number;
  mirostat: 0 | 1 | 2;
  /** The target, in bits. */
  mirostatTau: number;
  /** How far an error moves the limit. */
  mirostatEta: number;
}

/** The best candidates from whose probabilities version 1 estimates the distribution. */
const ESTIMATED = 100;

/** A sampler with a limit of its own, which begins at twice the target. */
export function createMirostat(
  options: MirostatOptions,
  random: RandomSource,
): (logits: Float32Array) => number {
  const { temperature, mirostat, mirostatTau: tau, mirostatEta: eta } = options;
  let limit = 2 * tau;
  let candidates = createCandidates(0);
  const best = createCandidates(ESTIMATED);
  return (logits) => {
    if (candidates.ids.length < logits.length) candidates = createCandidates(logits.length);
    if (mirostat === 1) {
      selectTopK(logits, ESTIMATED, best);
      selectTopK(logits, countNear(limit, best, temperature, logits.length), candidates);
    } else {
      selectAll(logits, candidates);
      keepBelow(candidates, limit, temperature);
    }
    const { token, probability } = draw(candidates, temperature, random);
    limit -= eta * (-Math.log2(probability) - tau);
    return token;
  };
}

/** Version 2: keeps the candidates whose surprise is at most the limit, at least the best. */
function keepBelow(candidates: Candidates, limit: number, temperature: number): void {
  const max = maxLogit(candidates);
  const most = Math.log2(totalWeight(candidates, max, temperature)) - limit;
  if (most > 0) keepBest(candidates, () => true);
  else keepAtLeast(candidates, max + most * Math.LN2 * temperature);
}

/**
 * Version 1: how many of the best have a surprise near the limit, if probabilities follow Zipf's
 * law with the exponent that these best suggest.
 */
function countNear(
  limit: number,
  { logits, length }: Candidates,
  temperature: number,
  vocabSize: number,
): number {
  let [products, squares] = [0, 0];
  for (let i = 0; i < length - 1; i++) {
    const rank = Math.log((i + 2) / (i + 1));
    products += rank * ((logits[i] - logits[i + 1]) / temperature);
    squares += rank * rank;
  }
  const exponent = products / squares;
  const epsilon = exponent - 1;
  const count = ((epsilon * 2 ** limit) / (1 - vocabSize ** -epsilon)) ** (1 / exponent);
  return Number.isNaN(count) ? vocabSize : Math.max(1, Math.floor(Math.min(count, vocabSize)));
}
