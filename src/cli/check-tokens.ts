/** Checks token ids and their number before anything is evaluated or written. */
import { PlmError } from "../errors.js";

/** Throws INVALID_TOKEN, naming the option, for an id outside the vocabulary. */
export function checkIds(label: string, ids: readonly number[], vocabSize: number): void {
  const wrong = ids.find((id) => id >= vocabSize);
  if (wrong === undefined) return;
  const expected = `expected ids from 0 to ${vocabSize - 1}`;
  throw new PlmError("INVALID_TOKEN", `${label}: ${expected}, got ${wrong}`);
}

/**
 * Throws CONTEXT_FULL, in the words of the option, for more tokens than the context holds beside
 * those of a session.
 */
export function checkCount(label: string, count: number, contextLength: number, used = 0): void {
  if (count <= contextLength - used) return;
  const place = used === 0 ? "the context" : `context ${contextLength}, in the session ${used}`;
  const expected = `expected at most ${contextLength - used} tokens (${place})`;
  throw new PlmError("CONTEXT_FULL", `${label}: ${expected}, got ${count}`);
}
