/**
 * The window of streamed layers: each is read from its file and packed when the forward pass gets
 * to it. The next chunk is read while the last one is packed, or while other layers compute.
 */
import platform from "#platform";
import type { Gguf } from "../format/gguf.js";
import { stagedBytes } from "./chunks.js";
import { checkPacked } from "./pack.js";
import { readChunk } from "./read-chunk.js";
import type { WindowPacker, WindowStaging } from "./window-staging.js";

/** The parts of the caller's thread. */
export interface LayerWindowParts {
  readonly gguf: Pick<Gguf, "sources">;
  readonly memory: WebAssembly.Memory;
  readonly staging: WindowStaging;
  readonly packer: WindowPacker;
}

/** Has all threads pack chunk `i`, which was read `count`th; false ends it instead. */
export type PackTogether = (i: number, count: number) => boolean;

/** A chunk on its way to its slot, or there. */
interface Read {
  readonly i: number;
  readonly count: number;
  readonly done: Promise<void>;
}

export class LayerWindow {
  readonly #parts: LayerWindowParts;
  #ahead: Read | undefined;
  #reads = 0;
  /** Settles with the last read. */
  #last = Promise.resolve();
  #close: (() => unknown) | undefined;
  #isClosed = false;

  constructor(parts: LayerWindowParts) {
    this.#parts = parts;
  }

  /**
   * Reads and packs a streamed layer; returns whether it is there. Throws INVALID_FILE and
   * UNSUPPORTED_FILE as checkPacked does, and what the source and `pack` throw.
   */
  async bring(layer: number, pack: PackTogether): Promise<boolean> {
    // Reads that are done leave the program's events no turn.
    await platform.yieldToEventLoop();
    const { staging, packer } = this.#parts;
    const [first, end] = staging.range(layer);
    for (let i = first; i < end; i++) {
      const { count, done } = this.#take(i);
      await done;
      if (!this.#isClosed) this.#ahead = this.#read((i + 1) % staging.chunks.length);
      if (!pack(i, count)) return false;
      checkPacked(staging.chunks[i], packer.takeFound());
    }
    return true;
  }

  /** Has `close` called once nothing is read any more. */
  closeWith(close: () => unknown): void {
    this.#close = close;
    if (this.#isClosed) this.close();
  }

  /** Reads nothing any more. */
  close(): void {
    this.#isClosed = true;
    const close = this.#close;
    this.#close = undefined;
    // A source may call this from a read that it is about to begin.
    void Promise.resolve()
      .then(() => this.#last)
      .then(close);
  }

  /** The read of chunk `i`, which may be under way. */
  #take(i: number): Read {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    return ahead?.i === i ? ahead : this.#read(i, ahead);
  }

  /** Begins to read chunk `i`, after a read that is of no use. */
  #read(i: number, before?: Read): Read {
    const { gguf, memory, staging } = this.#parts;
    const count = ++this.#reads;
    const chunk = staging.chunks[i];
    const slot = new Uint8Array(memory.buffer, staging.slotPtr(count), stagedBytes(chunk));
    const begin = (): Promise<void> => readChunk(gguf, chunk, slot);
    const done = before === undefined ? begin() : before.done.then(begin, begin);
    // Whoever waits for it sees the failure.
    this.#last = done.catch(() => undefined);
    return { i, count, done };
  }
}
