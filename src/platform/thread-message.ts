/**
 * What is said between a program and the script of its threads. Both forms stay as they are in
 * every version, so that each can tell a script of another.
 */

/** package.json's version of the package: a thread and what starts it must be of the same. */
export const VERSION = "0.1.0";

/** The first message to a thread. */
export interface ThreadMessage<Start = unknown> {
  readonly version: string;
  /** What an engine starts it with; only a thread of the same version reads it. */
  readonly start: Start;
}

/** What a thread says once it is ready to compute, or at once where it is of another version. */
export interface ThreadReply {
  readonly version: string;
  /** True in its last reply: it was dismissed, and computes no more. */
  readonly hasEnded?: boolean;
}
