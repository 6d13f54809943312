/**
 * Logits processors: functions that change the logits, in place, before a token is chosen. Finite
 * settings keep finite logits finite.
 */

/** The tokens so far, oldest first, which penalties look back on. */
export interface TokenHistory {
  readonly promptTokens: ArrayLike<number>;
  /** The tokens generated after the prompt. */
  readonly tokens: readonly number[];
}

/** Changes f32[vocabSize] logits in place. */
export type LogitsProcessor = (logits: Float32Array, history: TokenHistory) => void;

/** The settings of the processors; ranges and defaults in options.ts. */
export interface LogitsProcessorOptions {
  repetitionPenalty: number;
  repetitionWindow: number;
  presencePenalty: number;
  frequencyPenalty: number;
  /** Token to bias. */
  logitBias: ReadonlyMap<number, number>;
}

/** The largest number of f32. */
const MOST = (2 - 2 ** -23) * 2 ** 127;

/** A changed logit, limited to f32's finite numbers; -Infinity, a ban, stays. */
function bounded(value: number, before: number): number {
  return before === -Infinity ? before : Math.min(Math.max(value, -MOST), MOST);
}

/** The processors that these settings need, in order: penalties, then biases. Often none. */
export function createLogitsProcessors(options: LogitsProcessorOptions): LogitsProcessor[] {
  const { repetitionPenalty, repetitionWindow, presencePenalty, frequencyPenalty } = options;
  const processors: LogitsProcessor[] = [];
  if (repetitionPenalty !== 1 && repetitionWindow > 0) {
    processors.push(penalizeRepetition(repetitionPenalty, repetitionWindow));
  }
  if (presencePenalty !== 0 || frequencyPenalty !== 0) {
    processors.push(penalizePresence(presencePenalty, frequencyPenalty));
  }
  if (options.logitBias.size > 0) processors.push(biasLogits(options.logitBias));
  return processors;
}

/**
 * The repetition penalty of CTRL (Keskar et al. 2019), as in transformers and llama.cpp: for each
 * different token among the last `window` of prompt and generated tokens, a positive logit is
 * divided by `penalty` and any other is multiplied by it.
 */
function penalizeRepetition(penalty: number, window: number): LogitsProcessor {
  return (logits, { promptTokens, tokens }) => {
    const seen = new Set<number>();
    const total = promptTokens.length + tokens.length;
    for (let i = Math.max(0, total - window); i < total; i++) {
      seen.add(i < promptTokens.length ? promptTokens[i] : tokens[i - promptTokens.length]);
    }
    for (const id of seen) {
      const logit = logits[id];
      logits[id] = bounded(logit > 0 ? logit / penalty : logit * penalty, logit);
    }
  };
}

/**
 * OpenAI's penalties: takes `presence` once and `frequency` for each occurrence from the logit of
 * every token generated so far. The prompt does not count.
 */
function penalizePresence(presence: number, frequency: number): LogitsProcessor {
  return (logits, { tokens }) => {
    const counts = new Map<number, number>();
    for (const id of tokens) counts.set(id, (counts.get(id) ?? 0) + 1);
    for (const [id, count] of counts) {
      logits[id] = bounded(logits[id] - (presence + count * frequency), logits[id]);
    }
  };
}

/** Adds a bias to the logits of some tokens; -Infinity bans them. */
function biasLogits(biases: ReadonlyMap<number, number>): LogitsProcessor {
  return (logits) => {
    for (const [id, bias] of biases) {
      logits[id] = bias === -Infinity ? bias : bounded(logits[id] + bias, logits[id]);
    }
  };
}
