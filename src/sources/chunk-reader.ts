/** Streams and iterables of bytes, read chunk by chunk. */
import { kindOf } from "../describe.js";
import { PlmError } from "../errors.js";
import type { Bytes, StreamLike } from "./model-source.js";

/** What bytes can be read from, in order. */
export type ChunkSource = StreamLike | AsyncIterable<Bytes> | Iterable<Bytes>;

/** One chunk after another. */
export interface ChunkReader {
  read(): Promise<{ done?: boolean | undefined; value?: unknown }>;
  /** Ends the source early. Never rejects, nor waits for a read that may never settle. */
  cancel(): Promise<void>;
}

/** Whether the source can be read with `getReader`. */
export function isStream(value: object): value is StreamLike {
  return typeof (value as Partial<StreamLike>).getReader === "function";
}

/** Whether the source can be looped over. */
export function isIterable(value: object): value is AsyncIterable<Bytes> | Iterable<Bytes> {
  const { [Symbol.asyncIterator]: inTurns, [Symbol.iterator]: atOnce } = value as Partial<
    AsyncIterable<Bytes> & Iterable<Bytes>
  >;
  return typeof inTurns === "function" || typeof atOnce === "function";
}

/** A reader of `source`. Throws INVALID_ARGUMENT if the source is already being read. */
export function readerOf(source: ChunkSource, name: string): ChunkReader {
  if (!isStream(source)) return new IteratorReader(source);
  try {
    const reader = source.getReader();
    return { read: () => reader.read(), cancel: () => settled(() => reader.cancel()) };
  } catch (cause) {
    const message = `${name}: expected a stream without a reader, got ${kindOf(source)} in use`;
    throw new PlmError("INVALID_ARGUMENT", message, { cause });
  }
}

/** Ends a source that is no longer needed. */
export function discard(source: ChunkSource | null | undefined): void {
  if (!source) return;
  try {
    void readerOf(source, "").cancel();
  } catch {
    // Its reader ends it.
  }
}

/** Waits for `end`, whether it fails or not. */
async function settled(end: () => unknown): Promise<void> {
  try {
    await end();
  } catch {
    // A source that is no longer needed may fail.
  }
}

class IteratorReader implements ChunkReader {
  readonly #iterator: AsyncIterator<Bytes> | Iterator<Bytes>;
  /** Ends a Node stream, whose iterator ends it only after a first read. */
  readonly #destroy: () => void;
  #isReading = false;

  constructor(source: AsyncIterable<Bytes> | Iterable<Bytes>) {
    this.#destroy = () => {
      const stream = source as {
        destroy?(): unknown;
        on?(event: string, call: () => void): unknown;
      };
      if (typeof stream.destroy !== "function") return;
      // If opening it fails later, the error would end the program.
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
