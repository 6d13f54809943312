/** How the threads that load a model hand each other chunks: a few words in shared memory. */

/** The most slots that chunks are staged in. */
export const MOST_SLOTS = 16;

/** Bytes of the queue's words. */
export const QUEUE_BYTES = 320;

// Offsets, in words; words that different threads write lie apart.
const HELPERS = 0;
const STAGED = 16;
const TAKEN = 32;
const PACKED = 48;
const STATUS = 64;

/** The caller's thread sleeps no longer than this, so that its events are handled. */
const SLEEP_MS = 10;

/** The number of helpers while none is admitted. */
const SENT_AWAY = -1;

/** The count staged in an abandoned queue: more than there is to take. */
const CLOSED = 0x7fffffff;

/**
 * Chunks to pack, counted from 0. The caller's thread stages them in order; each thread takes the
 * next one when it is free.
 */
export class ChunkQueue {
  readonly #words: Int32Array;
  readonly #length: number;
  readonly #slots: number;

  /** A queue of `length` chunks, staged in `slots`; QUEUE_BYTES at ptr. */
  constructor(memory: WebAssembly.Memory, ptr: number, length: number, slots: number) {
    this.#words = new Int32Array(memory.buffer, ptr, QUEUE_BYTES / 4);
    this.#length = length;
    this.#slots = slots;
  }

  /** Empties the queue, before any chunk is staged or any helper admitted. */
  reset(): void {
    this.#words.fill(0);
  }

  /** Lets `helpers` waiting threads begin; 0 sends them away. */
  admit(helpers: number): void {
    Atomics.store(this.#words, HELPERS, helpers > 0 ? helpers : SENT_AWAY);
    Atomics.notify(this.#words, HELPERS);
  }

  /** Sends the helpers away: no more chunks come. */
  close(): void {
    Atomics.store(this.#words, STAGED, CLOSED);
    Atomics.notify(this.#words, STAGED);
  }

  /** Marks chunk `i` as staged; all before it are. */
  stage(i: number): void {
    Atomics.store(this.#words, STAGED, i + 1);
    Atomics.notify(this.#words, STAGED);
  }

  /** The next chunk to pack, or -1 if every staged chunk is taken. */
  take(): number {
    const next = Atomics.load(this.#words, TAKEN);
    if (next >= Atomics.load(this.#words, STAGED)) return -1;
    return Atomics.compareExchange(this.#words, TAKEN, next, next + 1) === next ? next : -1;
  }

  /** The next chunk to pack, after sleeping until it is staged; -1 after the last. */
  awaitChunk(): number {
    const words = this.#words;
    while (Atomics.load(words, HELPERS) === 0) Atomics.wait(words, HELPERS, 0);
    if (Atomics.load(words, HELPERS) === SENT_AWAY) return -1;
    const next = Atomics.add(words, TAKEN, 1);
    if (next >= this.#length) return -1;
    for (;;) {
      const staged = Atomics.load(words, STAGED);
      if (staged === CLOSED) return -1;
      if (staged > next) return next;
      Atomics.wait(words, STAGED, staged);
    }
  }

  /** Marks chunk `i` as packed, with its kernel's finding. */
  finish(i: number, bad: number): void {
    const slot = i % this.#slots;
    Atomics.store(this.#words, STATUS + slot, bad);
    Atomics.store(this.#words, PACKED + slot, i + 1);
    Atomics.notify(this.#words, PACKED + slot);
  }

  /** The finding of chunk `i`, or -1 before it is packed; valid while the chunk owns its slot. */
  status(i: number): number {
    const slot = i % this.#slots;
    if (Atomics.load(this.#words, PACKED + slot) !== i + 1) return -1;
    return Atomics.load(this.#words, STATUS + slot);
  }

  /**
   * Sleeps until chunk `i` is packed or a short time has passed. Returns that time in milliseconds,
   * or 0 if it did not pass.
   */
  awaitPacked(i: number): number {
    const word = PACKED + (i % this.#slots);
    const packed = Atomics.load(this.#words, word);
    if (packed === i + 1) return 0;
    return Atomics.wait(this.#words, word, packed, SLEEP_MS) === "timed-out" ? SLEEP_MS : 0;
  }
}
