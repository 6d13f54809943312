/** What chat completions and text completions have in common. */
import type { Choice } from "../answer.js";
import { createIdentifier } from "../identifiers.js";
import type { Serving } from "../serving.js";

/** What an answer is made with. */
export interface CompletionRequest {
  readonly choices: readonly Choice[];
  /** Alternatives of each token; undefined without log probabilities. */
  readonly alternatives: number | undefined;
  readonly hasUsage: boolean;
  /** Fields of every object of the answer. */
  readonly head: object;
  readonly serving: Serving;
}

/** Most alternatives of a token. */
export const MOST_ALTERNATIVES = 20;

/** Most answers to one request. */
export const MOST_ANSWERS = 128;

/** The fields that every object of an answer begins with. */
export function createHead(prefix: string, object: string, serving: Serving): object {
  return {
    id: createIdentifier(prefix),
    object,
    created: Math.floor(serving.clock.date() / 1000),
    model: serving.modelName,
    system_fingerprint: null,
  };
}
