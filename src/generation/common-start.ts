/** What a session has evaluated already of the tokens that come next. */
import type { Session } from "../engine/session.js";

/** Cuts the session to what it has in common with `tokens`; returns the rest, at least one. */
export function keepCommonStart(session: Session, tokens: readonly number[]): number[] {
  const common = countCommonStart(session, tokens);
  session.truncate(common);
  return tokens.slice(common);
}

/** How many of the tokens, except the last, the session begins with. */
export function countCommonStart(session: Session, tokens: readonly number[]): number {
  const evaluated = session.tokens;
  const most = Math.min(evaluated.length, tokens.length - 1);
  let common = 0;
  while (common < most && evaluated[common] === tokens[common]) common++;
  return common;
}
