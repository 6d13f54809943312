/** Streams tensors from their files into place; all threads repack on the way. */

import platform from "#platform";
import { abortable } from "../abortable.js";
import { PlmError } from "../errors.js";
import type { Gguf } from "../format/gguf.js";
import { Patience } from "../kernels/patience.js";
import type { PlmWeights } from "../model/weights.js";
import { chunkBytes, stagedBytes } from "./chunks.js";
import { checkPacked } from "./pack.js";
import type { LoadReport } from "./progress.js";
import { readChunk } from "./read-chunk.js";
import { type PackParts, type PackTarget, packParts, Staging } from "./staging.js";

/** What loading reports to, and the signal that stops it. */
export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
  readonly report?: LoadReport;
}

/** A helping thread that packs nothing for this long counts as lost. */
const PATIENCE_MS = 60_000;

/** Bytes of scratch that readWeights needs for staging, with `threads` threads. */
export function readScratchBytes(weights: PlmWeights, threads: number): number {
  return new Staging(weights, threads, 0).bytes;
}

/**
 * Reads every tensor that stays in memory into place. The next chunk is read while others are
 * packed, here and, once started, by `helpers` threads in helpReadWeights. Throws INVALID_FILE for
 * a file that ends early or holds a weight that is not finite, UNSUPPORTED_FILE for a block scale
 * of 128 or more, and THREAD_LOST; an abort rejects with its reason. After a throw the helpers
 * leave by themselves.
 */
export async function readWeights(
  gguf: Gguf,
  weights: PlmWeights,
  target: PackTarget & { readonly helpers: Promise<number> },
  options: ReadOptions,
): Promise<void> {
  const reading = new Reading(gguf, packParts(weights, target, 0), target.memory, options);
  await reading.run(target.helpers);
}

/** The caller's thread's part: it reads, packs and reports. */
class Reading {
  readonly #gguf: Gguf;
  readonly #parts: PackParts;
  readonly #memory: WebAssembly.Memory;
  readonly #options: ReadOptions;
  #packed = 0;

  constructor(gguf: Gguf, parts: PackParts, memory: WebAssembly.Memory, options: ReadOptions) {
    this.#gguf = gguf;
    this.#parts = parts;
    this.#memory = memory;
    this.#options = options;
  }

  async run(helpers: Promise<number>): Promise<void> {
    const { staging, queue } = this.#parts;
    const { length } = staging.chunks;
    let pending = Promise.resolve();
    queue.reset();
    const admitted = helpers.then((count) => queue.admit(count));
    try {
      for (let i = 0; i < length; i++) {
        await this.#packUntil(i + 1 - staging.slots);
        pending = this.#stage(i);
        this.#packOne();
        await this.#settle(pending, i);
        queue.stage(i);
      }
      await this.#packUntil(length);
      // Threads not admitted yet would miss the first work.
      await abortable(admitted, this.#options.signal);
    } catch (error) {
      queue.close();
      await pending.catch(() => undefined);
      throw error;
    }
  }

  /** Waits for the read of chunk `i`. A bad weight before it precedes the read's error. */
  async #settle(pending: Promise<void>, i: number): Promise<void> {
    const { signal } = this.#options;
    try {
      await pending;
    } catch (error) {
      signal?.throwIfAborted();
      await this.#packUntil(i);
      throw error;
    }
    signal?.throwIfAborted();
  }

  /** Packs, or waits for other threads, until `count` chunks are in place. */
  async #packUntil(count: number): Promise<void> {
    const { queue } = this.#parts;
    let patience = new Patience(PATIENCE_MS);
    let sleptMs = 0;
    for (let before = this.#packed; this.#packed < count; before = this.#packed) {
      const isIdle = !this.#packOne();
      if (this.#packed > before) patience = new Patience(PATIENCE_MS);
      if (!patience.isLeft(sleptMs)) {
        throw new PlmError("THREAD_LOST", "threads: expected all of them to pack, one does not");
      }
      if (!isIdle) continue;
      sleptMs = platform.maySleep() ? queue.awaitPacked(this.#packed) : 0;
      await platform.yieldToEventLoop();
    }
  }

  /** Packs a chunk if there is one, and reports all in place; returns whether there was one. */
  #packOne(): boolean {
    const { staging, queue, packer } = this.#parts;
    const i = queue.take();
    if (i >= 0) queue.finish(i, packer.pack(staging.chunks[i], staging.slotPtr(i)));
    this.#report();
    return i >= 0;
  }

  /** Reports chunks in file order, whichever thread packed them. */
  #report(): void {
    const { staging, queue } = this.#parts;
    while (this.#packed < staging.chunks.length) {
      const bad = queue.status(this.#packed);
      if (bad < 0) return;
      const chunk = staging.chunks[this.#packed++];
      checkPacked(chunk, bad);
      this.#options.report?.add(chunkBytes(chunk));
    }
  }

  /** Reads chunk `i` into its slot. */
  #stage(i: number): Promise<void> {
    const { staging } = this.#parts;
    const chunk = staging.chunks[i];
    const slot = new Uint8Array(this.#memory.buffer, staging.slotPtr(i), stagedBytes(chunk));
    return readChunk(this.#gguf, chunk, slot, this.#options.signal);
  }
}
