/** Sessions that several processes share, one turn at a time. */

/** The most characters of a session's id. */
export const MOST_SESSION_ID = 256;

/** Options of `SessionStore.open`. */
export interface OpenTurnOptions {
  signal?: AbortSignal;
  /** How long to wait for another turn of the session to end, in milliseconds. Default 10,000. */
  waitMs?: number;
}

/** What can be kept: a session or a conversation. */
export interface Savable {
  saveStream(): ReadableStream<Uint8Array>;
}

/** What a save came to. */
export interface TurnSave {
  /** Bytes of the saved session. */
  readonly bytes: number;
  /** Those that were written: the pages that are new, and the tokens. */
  readonly writtenBytes: number;
}

/** One turn of a session: from `open` to `close` no other process has it. */
export interface SessionTurn {
  /** The session as it was saved, for `restoreSession` or `restoreConversation`; else undefined. */
  readonly saved: AsyncIterable<Uint8Array> | undefined;
  /**
   * Keeps the session as it is now in place of what was saved, all of it or nothing. Rejects with
   * SESSION_BUSY if another took the session over, STORE_FULL and STORE_UNAVAILABLE; what was saved
   * before is then untouched. An abort rejects with the signal's reason.
   */
  save(session: Savable, options?: { signal?: AbortSignal }): Promise<TurnSave>;
  /** Ends the turn; the next may begin. Never rejects. */
  close(): Promise<void>;
}

/** Where sessions are kept between turns, by a name that their users choose. */
export interface SessionStore {
  /**
   * Begins a turn, once no other is under way. Rejects with INVALID_ARGUMENT, SESSION_BUSY after
   * `waitMs`, and STORE_UNAVAILABLE; an abort with the signal's reason.
   */
  open(id: string, options?: OpenTurnOptions): Promise<SessionTurn>;
  /** Forgets a session. Rejects as `open`. */
  delete(id: string, options?: OpenTurnOptions): Promise<void>;
}
