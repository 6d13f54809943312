/** The record of a generation that another thread writes: what changed, bit by bit. */
import type { GenerationRecord } from "./generation.js";

/** What changed in a record since the last time. */
export interface RecordChanges
  extends Omit<GenerationRecord, "text" | "toolCalls" | "tokens" | "logprobs" | "seed"> {
  /** New tokens, and their log probabilities if these are requested. */
  readonly tokens: GenerationRecord["tokens"];
  readonly logprobs: GenerationRecord["logprobs"];
}

/** A function that returns what changed in a record since its last call. */
export function changesOf(record: GenerationRecord): () => RecordChanges {
  let known = 0;
  let knownLogprobs = 0;
  return () => {
    // The text's pieces are sent by themselves, and its reader finds calls in them.
    const { text, toolCalls, seed, tokens, logprobs, ...rest } = record;
    const changes = {
      ...rest,
      tokens: tokens.slice(known),
      logprobs: logprobs?.slice(knownLogprobs),
    };
    known = tokens.length;
    knownLogprobs = logprobs?.length ?? 0;
    return changes;
  };
}

/** Makes the changes in a record. */
export function applyChanges(record: GenerationRecord, changes: RecordChanges): void {
  const { tokens, logprobs, ...rest } = changes;
  Object.assign(record, rest);
  record.tokens.push(...tokens);
  if (logprobs !== undefined) record.logprobs?.push(...logprobs);
}
