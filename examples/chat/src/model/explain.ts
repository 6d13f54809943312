/** Errors as sentences for the person in front of the page. */
import { type ErrorCode, PlmError } from "plm-wasm";

const SENTENCES: Partial<Record<ErrorCode, string>> = {
  INVALID_FILE: "This is not a model that can be read.",
  UNSUPPORTED_FILE: "This model is of a kind that does not run here.",
  UNREADABLE_FILE: "The file could not be read to its end.",
  OUT_OF_MEMORY: "The model needs more memory than there is.",
  UNSUPPORTED_RUNTIME: "This browser lacks what the model needs.",
  WORKER_LOST: "The model's worker has ended. Load the model again.",
  CONTEXT_FULL: "The conversation is longer than what the model can look back on.",
  CACHE_FULL: "There is no room for more of this conversation.",
};

/** A sentence, and what exactly was wrong. */
export function explain(error: unknown): string {
  const known = PlmError.from(error);
  const detail = error instanceof Error ? error.message : String(error);
  const sentence = known && SENTENCES[known.code];
  return sentence === undefined ? detail : `${sentence} (${detail})`;
}
