/** A source that can go back to the bytes read along with the header. */
import { PlmError } from "../errors.js";
import type { ByteSource } from "./byte-source.js";

/** Serves `kept`, the bytes from `start` on, from memory, and all later ones from `source`. */
export class KeptSource implements ByteSource {
  readonly name: string;
  readonly size: number | undefined;
  readonly sequential = true;
  readonly #source: ByteSource;
  readonly #start: number;
  readonly #kept: Uint8Array;

  constructor(source: ByteSource, start: number, kept: Uint8Array, size: number | undefined) {
    this.name = source.name;
    this.size = size;
    this.#source = source;
    this.#start = start;
    this.#kept = kept;
  }

  async read(offset: number, target: Uint8Array, signal?: AbortSignal): Promise<number> {
    signal?.throwIfAborted();
    const from = offset - this.#start;
    if (from < 0) {
      const message = `${this.name}: read at byte ${offset}, but the header's bytes were dropped`;
      throw new PlmError("INVALID_ARGUMENT", message);
    }
    const kept = this.#kept.subarray(from, from + target.length);
    target.set(kept);
    if (kept.length === target.length) return kept.length;
    const rest = target.subarray(kept.length);
    return kept.length + (await this.#source.read(offset + kept.length, rest, signal));
  }

  close(): Promise<void> {
    return this.#source.close();
  }
}
