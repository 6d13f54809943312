/** The logits processors of a generation. Finite settings keep finite logits finite. */

import { type DryOptions, penalizeDry } from "./dry.js";
import { bounded, type LogitsProcessor, recentTokens } from "./logits-processor.js";

/** The settings of the processors; ranges and defaults in options.ts. */
export interface LogitsProcessorOptions extends DryOptions {
  repetitionPenalty: number;
  repetitionWindow: number;
  presencePenalty: number;
  frequencyPenalty: number;
  drySequenceBreakers: readonly string[];
  /** Token to bias. */
  logitBias: ReadonlyMap<number, number>;
}

/**
 * The processors that these settings need, in order: penalties, then biases. Often none. `textOf`
 * is the text of a token by itself.
 */
export function createLogitsProcessors(
  options: LogitsProcessorOptions,
  textOf: (token: number) => string,
): LogitsProcessor[] {
  const { repetitionPenalty, repetitionWindow, presencePenalty, frequencyPenalty } = options;
  const processors: LogitsProcessor[] = [];
  if (repetitionPenalty !== 1 && repetitionWindow > 0) {
    processors.push(penalizeRepetition(repetitionPenalty, repetitionWindow));
  }
  if (presencePenalty !== 0 || frequencyPenalty !== 0) {
    processors.push(penalizePresence(presencePenalty, frequencyPenalty));
  }
  if (options.dryMultiplier > 0 && options.dryWindow > 0) {
    processors.push(penalizeDry(options, breakersOf(options.drySequenceBreakers, textOf)));
  }
  if (options.logitBias.size > 0) processors.push(biasLogits(options.logitBias));
  return processors;
}

/** Whether a token's text contains one of the breakers. */
function breakersOf(
  breakers: readonly string[],
  textOf: (token: number) => string,
): (token: number) => boolean {
  const known = new Map<number, boolean>();
  return (token) => {
    let isBreaker = known.get(token);
    if (isBreaker === undefined) {
      const text = textOf(token);
      isBreaker = breakers.some((breaker) => text.includes(breaker));
      known.set(token, isBreaker);
    }
    return isBreaker;
  };
}

/**
 * The repetition penalty of CTRL (Keskar et al. 2019), as in transformers and llama.cpp: for each
 * different token among the last `window` of prompt and generated tokens, a positive logit is
 * divided by `penalty` and any other is multiplied by it.
 */
function penalizeRepetition(penalty: number, window: number): LogitsProcessor {
  return (logits, history) => {
    for (const id of new Set(recentTokens(history, window))) {
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
