/** One turn of a session in Redis: reads its pieces, and writes those that are new. */

import platform from "#platform";
import { SNAPSHOT } from "../cache/snapshot.js";
import { PlmError, quote } from "../errors.js";
import { decodePrefix } from "../format/frame.js";
import type { Savable, SessionTurn, TurnSave } from "../generation/session-store.js";
import type { Argument, Commands } from "./commands.js";
import { busy, type Lock } from "./lock.js";
import type { ResolvedRedisOptions } from "./options.js";
import { COMMIT, WRITE } from "./scripts.js";

export class RedisTurn implements SessionTurn {
  readonly #commands: Commands;
  readonly #lock: Lock;
  readonly #options: Pick<ResolvedRedisOptions, "ttlSeconds" | "maxBytes">;
  /** The names of the pieces that are saved. */
  #pieces: readonly string[];

  constructor(
    commands: Commands,
    lock: Lock,
    options: Pick<ResolvedRedisOptions, "ttlSeconds" | "maxBytes">,
    pieces: readonly string[],
  ) {
    this.#commands = commands;
    this.#lock = lock;
    this.#options = options;
    this.#pieces = pieces;
  }

  get saved(): AsyncIterable<Uint8Array> | undefined {
    return this.#pieces.length === 0 ? undefined : this.#read(this.#pieces);
  }

  async save(session: Savable, { signal }: { signal?: AbortSignal } = {}): Promise<TurnSave> {
    const known = new Set(this.#pieces);
    const saved = await this.#write(session, known, signal);
    if (saved !== undefined) return saved;
    // Redis has evicted pieces that were there when the turn began.
    const rewritten = await this.#write(session, new Set(), signal);
    if (rewritten !== undefined) return rewritten;
    const name = quote(this.#lock.keys.id);
    const message = `session ${name}: expected Redis to keep it, it was evicted`;
    throw new PlmError("STORE_FULL", message);
  }

  async close(): Promise<void> {
    await this.#lock.release();
  }

  async *#read(pieces: readonly string[]): AsyncGenerator<Uint8Array, void> {
    const { session, id } = this.#lock.keys;
    for (const name of pieces) {
      const piece = await this.#commands.send("HGET", [session, name]);
      if (!ArrayBuffer.isView(piece)) {
        const message = `session ${quote(id)}: expected piece ${name}, Redis has none`;
        throw new PlmError("INVALID_FILE", message);
      }
      yield piece;
    }
  }

  /** Writes the pieces that are not known; undefined if others have gone meanwhile. */
  async #write(
    session: Savable,
    known: ReadonlySet<string>,
    signal: AbortSignal | undefined,
  ): Promise<TurnSave | undefined> {
    const { token } = this.#lock;
    const { ttlSeconds } = this.#options;
    const names: string[] = [];
    let [bytes, writtenBytes] = [0, 0];
    for await (const piece of piecesOf(session.saveStream())) {
      if (names.length === 0) this.#checkSize(piece);
      const name = `${names.length}:${await hashOf(piece)}`;
      names.push(name);
      bytes += piece.length;
      if (known.has(name)) continue;
      await this.#run(WRITE, [token, ttlSeconds, name, piece], signal);
      writtenBytes += piece.length;
    }
    const answer = await this.#run(COMMIT, [token, ttlSeconds, ...names], signal);
    if (answer === "missing") return undefined;
    this.#pieces = names;
    return { bytes, writtenBytes };
  }

  /** Throws STORE_FULL for a session that is too large, by the sizes that it begins with. */
  #checkSize(first: Uint8Array): void {
    const { maxBytes } = this.#options;
    const { totalBytes } = decodePrefix(SNAPSHOT, first);
    if (totalBytes <= maxBytes) return;
    const expected = `at most ${maxBytes} bytes (maxBytes)`;
    const message = `session ${quote(this.#lock.keys.id)}: expected ${expected}, got ${totalBytes}`;
    throw new PlmError("STORE_FULL", message);
  }

  /** Runs a script in this turn. Rejects with SESSION_BUSY if it is over. */
  async #run(
    script: string,
    args: readonly Argument[],
    signal: AbortSignal | undefined,
  ): Promise<string> {
    const { session, lock } = this.#lock.keys;
    const answer = await this.#commands.run(script, [session, lock], args, signal);
    if (answer !== "lost") return answer;
    throw busy(this.#lock.keys, "another has begun");
  }
}

/** The pieces of a stream; one that is left early is cancelled. */
async function* piecesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const reader = stream.getReader();
  try {
    for (let step = await reader.read(); !step.done; step = await reader.read()) yield step.value;
  } finally {
    await reader.cancel();
  }
}

async function hashOf(bytes: Uint8Array): Promise<string> {
  const hash = await platform.createSha256();
  hash.update(bytes);
  return hash.digest();
}
