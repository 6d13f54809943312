/**
 * DRY, "don't repeat yourself" (p-e-w, as in llama.cpp): makes a token less likely that would go on
 * with a repetition, the more the longer that already is.
 */
import { bounded, type LogitsProcessor, recentTokens } from "./logits-processor.js";

/** The settings; ranges and defaults in options.ts. */
export interface DryOptions {
  dryMultiplier: number;
  dryBase: number;
  dryAllowedLength: number;
  dryWindow: number;
}

/**
 * Takes multiplier * base^(m - allowedLength) from the logit of each token that followed an earlier
 * occurrence of the last m tokens, of which m is the most, if m is at least allowedLength. Looks at
 * the last `dryWindow` tokens of prompt and text; no repetition reaches over a token that
 * `isBreaker`.
 */
export function penalizeDry(
  { dryMultiplier, dryBase, dryAllowedLength, dryWindow }: DryOptions,
  isBreaker: (token: number) => boolean,
): LogitsProcessor {
  return (logits, history) => {
    const recent = recentTokens(history, dryWindow);
    let limit = 0;
    while (limit < recent.length && !isBreaker(recent[limit])) limit++;
    if (limit < dryAllowedLength) return;
    const longest = new Map<number, number>();
    const matches = matchLengths(recent);
    for (let i = 1; i < recent.length; i++) {
      const length = Math.min(matches[i], limit);
      const next = recent[i - 1];
      if (length > (longest.get(next) ?? 0)) longest.set(next, length);
    }
    for (const [token, length] of longest) {
      if (length < dryAllowedLength) continue;
      const penalty = dryMultiplier * dryBase ** (length - dryAllowedLength);
      logits[token] = bounded(logits[token] - penalty, logits[token]);
    }
  };
}

/** How many tokens from each position on equal those from the first on: the Z function. */
function matchLengths(tokens: Int32Array): Int32Array {
  const lengths = new Int32Array(tokens.length);
  // Of the matches so far, the one that reaches furthest: [start, end).
  let [start, end] = [0, 0];
  for (let i = 1; i < tokens.length; i++) {
    let length = i < end ? Math.min(lengths[i - start], end - i) : 0;
    while (i + length < tokens.length && tokens[length] === tokens[i + length]) length++;
    if (i + length > end) [start, end] = [i, i + length];
    lengths[i] = length;
  }
  return lengths;
}
