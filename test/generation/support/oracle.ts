/** The slow, obvious truncations: a full sort, then one list after another. For comparison only. */

/** Half of the logits are drawn from five values, so that many are equal; a few are -Infinity. */
export function tiedLogits(n: number, random: () => number): Float32Array {
  const logits = Float32Array.from({ length: n }, () => {
    if (random() < 0.05) return -Infinity;
    return random() < 0.5 ? Math.floor(random() * 5) : 8 * random() - 4;
  });
  logits[Math.floor(random() * n)] = 1;
  return logits;
}

/** All ids that may be chosen, best first, equal ones by lower id. */
export function sortedIds(logits: Float32Array): number[] {
  const ids = Array.from(logits.keys()).filter((id) => logits[id] > -Infinity);
  return ids.sort((a, b) => logits[b] - logits[a] || a - b);
}

/** The probabilities of these tokens among themselves. */
export function softmax(logits: Float32Array, ids: number[], temperature = 1): number[] {
  const max = Math.max(...ids.map((id) => logits[id]));
  const weights = ids.map((id) => Math.exp((logits[id] - max) / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** The shortest head of `ids` whose probabilities reach the share, at least one. */
function headWithShare(ids: number[], probabilities: number[], share: number): number[] {
  let sum = 0;
  for (let i = 0; i < ids.length; i++) {
    sum += probabilities[i];
    if (sum >= share - 1e-14) return ids.slice(0, i + 1);
  }
  return ids;
}

export function topK(ids: number[], k: number): number[] {
  return k > 0 ? ids.slice(0, k) : ids;
}

export function topP(logits: Float32Array, ids: number[], p: number): number[] {
  return p < 1 ? headWithShare(ids, softmax(logits, ids), p) : ids;
}

export function minP(logits: Float32Array, ids: number[], p: number): number[] {
  const probabilities = softmax(logits, ids);
  return ids.filter((_, i) => probabilities[i] >= p * Math.max(...probabilities) * (1 - 1e-14));
}

export function typicalP(logits: Float32Array, ids: number[], p: number): number[] {
  if (p >= 1) return ids;
  const probabilities = softmax(logits, ids);
  const entropy = probabilities.reduce((sum, q) => sum - (q > 0 ? q * Math.log(q) : 0), 0);
  const ranked = ids
    .map((id, i) => ({
      id,
      q: probabilities[i],
      far: Math.abs(-Math.log(probabilities[i]) - entropy),
    }))
    .sort((a, b) => (Math.abs(a.far - b.far) > 1e-12 ? a.far - b.far : a.id - b.id));
  const kept = headWithShare(
    ranked.map(({ id }) => id),
    ranked.map(({ q }) => q),
    p,
  );
  return ids.filter((id) => kept.includes(id));
}

/** Those at most n standard deviations below the best. */
export function topNSigma(logits: Float32Array, ids: number[], n: number): number[] {
  if (n === 0 || ids.length < 2) return ids;
  const values = ids.map((id) => logits[id]);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  const least = Math.max(...values) - n * Math.sqrt(variance);
  return ids.filter((_, i) => values[i] >= least - 1e-12);
}

/** Without those that have at least the threshold, except the last of these. */
export function xtc(logits: Float32Array, ids: number[], threshold: number): number[] {
  if (threshold > 0.5 || ids.length < 2) return ids;
  const top = ids.filter((_, i) => softmax(logits, ids)[i] >= threshold);
  return ids.filter((id) => !top.includes(id) || id === top[top.length - 1]);
}
