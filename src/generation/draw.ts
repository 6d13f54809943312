/** Draws one of the candidates at random. */
import { type Candidates, maxLogit } from "./candidates.js";
import type { RandomSource } from "./random.js";

/** What was drawn. */
export interface Drawn {
  readonly token: number;
  /** Its probability among the candidates. */
  readonly probability: number;
}

/**
 * One candidate at random, by the softmax of logits / temperature; temperature above 0. Writes the
 * weights over the candidates' logits.
 */
export function draw(candidates: Candidates, temperature: number, random: RandomSource): Drawn {
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
  return { token: ids[drawn], probability: weights[drawn] / total };
}
