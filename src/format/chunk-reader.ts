/** Streams and iterables of bytes, read chunk by chunk. */
import { kindOf } from "../describe.js";
import { PlmError } from "../errors.js";
import type { Bytes, StreamLike } from "./model-source.js";

/** What bytes can be read from in order. */
export type ChunkSource = StreamLike | AsyncIterable<Bytes> | Iterable<Bytes>;

/** One chunk after another. */
export interface ChunkReader {
  read(): Promise<{ done?: boolean | undefined; value?: unknown }>;
  /** Ends it early. Never rejects, nor waits for a read that may never settle. */
  cancel(): Promise<void>;
}

/** Whether it can be read with `getReader`. */
export function isStream(value: object): value is StreamLike {
  return typeof (value as Partial<StreamLike>).getReader === "function";
}

/** Whether it can be looped over. */
export function isIterable(value: object): value is AsyncIterable<Bytes> | Iterable<Bytes> {
  const { [Symbol.asyncIterator]: inTurns, [Symbol.iterator]: atOnce } = value as Partial<
    AsyncIterable<Bytes> & Iterable<Bytes>
  >;
  return typeof inTurns === "function" || typeof atOnce === "function";
}

/** A reader of `source`. Throws INVALID_ARGUMENT where somebody else reads it. */
export function readerOf(source: ChunkSource, name: string): ChunkReader {
  if (!isStream(source)) return new IteratorReader(source);
  try {
    const reader = source.getReader();
    return { read: () => reader.read(), cancel: () => settled(() => reader.cancel()) };
  } catch (cause) {
    const message = `${name}: expected a stream that nobody reads, got ${kindOf(source)} in use`;
    throw new PlmError("INVALID_ARGUMENT", message, { cause });
  }
}

/** Ends a source of which no more is wanted. */
export function discard(source: ChunkSource | null | undefined): void {
  if (!source) return;
  try {
    void readerOf(source, "").cancel();
  } catch {
    // Whoever reads it ends it.
  }
}

/** Waits until `end` is over, whether it fails or not. */
async function settled(end: () => unknown): Promise<void> {
  try {
    await end();
  } catch {
    // What is no longer wanted may fail.
  }
}

class IteratorReader implements ChunkReader {
  readonly #iterator: AsyncIterator<Bytes> | Iterator<Bytes>;
  /** Ends a stream of Node, whose iterator ends it only once it was read. */
  readonly #destroy: () => void;
  #isReading = false;

  constructor(source: AsyncIterable<Bytes> | Iterable<Bytes>) {
    this.#destroy = () => {
      const stream = source as {
        destroy?(): unknown;
        on?(event: string, call: () => void): unknown;
      };
      if (typeof stream.destroy !== "function") return;
      // One that fails to open all the same would end the program.
      stream.on?.("error", () => {});
      stream.destroy();
    };
    this.#iterator =
      Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  }

  async read(): Promise<{ done?: boolean | undefined; value?: unknown }> {
    this.#isReading = true;
    try {
      const { done, value } = await this.#iterator.next();
      return { done, value: await value };
    } finally {
      this.#isReading = false;
    }
  }

  async cancel(): Promise<void> {
    const isReading = this.#isReading;
    await settled(this.#destroy);
    const ended = settled(() => this.#iterator.return?.());
    if (!isReading) await ended;
  }
}
