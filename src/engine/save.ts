/** Saves a session as it is now; meanwhile it may continue. */

import platform from "#platform";
import { type SnapshotParts, SnapshotWriter } from "../cache/write-snapshot.js";
import { PlmError } from "../errors.js";
import type { OwnBytes } from "../web-types.js";
import { disposedSession } from "./disposed.js";
import type { ResolvedEvaluation } from "./evaluation.js";
import { streamOf } from "./piece-stream.js";
import { type FormChoice, Request } from "./request.js";
import type { CacheRoom } from "./room.js";
import type { Sequence } from "./sequence.js";
import type { StartedSave } from "./session.js";
import type { Turns } from "./turns.js";

/** What brings back rows that a sequence gave up. */
export interface SavingParts {
  readonly choice: FormChoice;
  readonly turns: Turns;
  readonly room: CacheRoom;
}

export class Saving implements StartedSave {
  readonly #writer: SnapshotWriter;
  /** Of its own: the session may go on. */
  readonly #sequence: Sequence;
  readonly #parts: SavingParts;
  /** Disposes of the sequence. */
  readonly #end: () => void;

  constructor(
    snapshot: Pick<SnapshotParts, "model" | "cacheType" | "messages">,
    sequence: Sequence,
    parts: SavingParts,
  ) {
    const { cache, history, length } = sequence;
    const { layers, rowBytes } = cache;
    const pages = { layers, rowBytes, length, page: cache.page.bind(cache) };
    this.#writer = new SnapshotWriter({ ...snapshot, tokens: history.tokens, pages });
    this.#sequence = sequence;
    this.#parts = parts;
    const { room, turns } = parts;
    room.add(sequence);
    this.#end = () => {
      turns.cancel((request) => request.sequence === sequence, disposedSession());
      room.dispose(sequence);
    };
  }

  /** All bytes; the event loop runs between pages. An abort rejects with its reason. */
  async bytes(signal: AbortSignal | undefined): Promise<OwnBytes> {
    try {
      await this.#complete(signal);
      const bytes = allocate(this.#writer.totalBytes);
      for (const _ of this.#writer.writeTo(bytes)) {
        signal?.throwIfAborted();
        await platform.yieldToEventLoop();
      }
      return bytes;
    } finally {
      this.#end();
    }
  }

  /** The bytes in pieces, each written on request. */
  stream(): ReadableStream<Uint8Array> {
    const sequence = this.#sequence;
    const { turns } = this.#parts;
    const pieces = this.#writer.pieces();
    const next = async (): Promise<Uint8Array | undefined> => {
      try {
        await this.#complete();
        const { value, done } = pieces.next();
        return done ? undefined : value;
      } finally {
        sequence.isSaved = false;
        turns.goOn();
      }
    };
    return streamOf(next, this.#end);
  }

  end(): void {
    this.#end();
  }

  /** Evaluates rows again that were given up, and keeps them while they are saved. */
  async #complete(signal?: AbortSignal): Promise<void> {
    const { turns, choice } = this.#parts;
    const sequence = this.#sequence;
    if (!sequence.isComplete) {
      const none = new Uint32Array(0);
      const evaluation = { ...NO_RESULT, signal };
      await turns.evaluate(new Request(sequence, none, evaluation, choice));
    }
    sequence.isSaved = true;
  }
}

/** An evaluation of which nothing is requested. */
const NO_RESULT: Omit<ResolvedEvaluation, "signal"> = {
  ...{ kind: "logits", choice: "none", phase: "prefill" },
  ...{ width: 0, out: new Float32Array(0), step: 1 },
};

/** Throws OUT_OF_MEMORY where the runtime refuses. */
function allocate(length: number): OwnBytes {
  try {
    return new Uint8Array(length);
  } catch (cause) {
    const message = `session: expected ${length} bytes to save it in, the runtime refused`;
    throw new PlmError("OUT_OF_MEMORY", message, { cause });
  }
}
