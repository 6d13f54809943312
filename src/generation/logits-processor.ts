/** Logits processors: functions that change the logits, in place, before a token is chosen. */

/** The tokens so far, oldest first, which penalties look back on. */
export interface TokenHistory {
  readonly promptTokens: ArrayLike<number>;
  /** The tokens generated after the prompt. */
  readonly tokens: readonly number[];
}

/** Changes f32[vocabSize] logits in place. */
export type LogitsProcessor = (logits: Float32Array, history: TokenHistory) => void;

/** The last tokens, at most `window`, the newest first. */
export function recentTokens({ promptTokens, tokens }: TokenHistory, window: number): Int32Array {
  const total = promptTokens.length + tokens.length;
  const recent = new Int32Array(Math.min(window, total));
  for (let i = 0; i < recent.length; i++) {
    const at = total - 1 - i;
    recent[i] = at < promptTokens.length ? promptTokens[at] : tokens[at - promptTokens.length];
  }
  return recent;
}

/** The largest number of f32. */
const MOST = (2 - 2 ** -23) * 2 ** 127;

/** A changed logit, limited to f32's finite numbers; -Infinity, a ban, stays. */
export function bounded(value: number, before: number): number {
  return before === -Infinity ? before : Math.min(Math.max(value, -MOST), MOST);
}
