/** The errors of what was disposed of. */
import { PlmError } from "../errors.js";

export function disposedModel(): PlmError {
  return new PlmError("DISPOSED", "model: expected a live model, got a disposed one");
}

export function disposedSession(): PlmError {
  return new PlmError("DISPOSED", "session: expected a live session, got a disposed one");
}
