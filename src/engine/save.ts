/** Saves a session as it is now; meanwhile it may continue. */

import platform from "#platform";
import type { CacheSequence } from "../cache/sequence.js";
import { type SnapshotParts, SnapshotWriter } from "../cache/write-snapshot.js";
import { PlmError } from "../errors.js";
import { requireGlobal } from "../globals.js";
import type { OwnBytes } from "../web-types.js";
import { endWhenDropped } from "./dropped.js";
import type { StartedSave } from "./session.js";

/** What a stream is filled by. */
interface StreamController {
  enqueue(piece: Uint8Array): void;
  close(): void;
}

/** The runtime's ReadableStream, which not every program's types declare. */
type StreamClass = new (
  source: { pull(controller: StreamController): void; cancel(): void },
  strategy: { highWaterMark: number },
) => ReadableStream<Uint8Array>;

export class Saving implements StartedSave {
  readonly #writer: SnapshotWriter;
  /** Disposes of the fork that is saved. */
  readonly #end: () => void;

  constructor(parts: Omit<SnapshotParts, "pages">, sequence: CacheSequence) {
    const pages = sequence.fork();
    this.#end = () => pages.dispose();
    try {
      this.#writer = new SnapshotWriter({ ...parts, pages });
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  /** All bytes; the event loop runs between pages. An abort rejects with its reason. */
  async bytes(signal: AbortSignal | undefined): Promise<OwnBytes> {
    try {
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
    const Stream = requireGlobal("ReadableStream") as StreamClass;
    const end = this.#end;
    const pieces = this.#writer.pieces();
    const pull = (controller: StreamController): void => {
      let isOver = true;
      try {
        const { value, done } = pieces.next();
        if (done) controller.close();
        else controller.enqueue(value);
        isOver = done === true;
      } finally {
        if (isOver) end();
      }
    };
    const stream = new Stream({ pull, cancel: end }, { highWaterMark: 0 });
    endWhenDropped(stream, end);
    return stream;
  }
}

/** Throws OUT_OF_MEMORY where the runtime refuses. */
function allocate(length: number): OwnBytes {
  try {
    return new Uint8Array(length);
  } catch (cause) {
    const message = `session: expected ${length} bytes to save it in, the runtime refused`;
    throw new PlmError("OUT_OF_MEMORY", message, { cause });
  }
}
