/** How far loading has come. */
import { type TransferProgress, TransferRate } from "../sources/transfer-rate.js";

/** The progress of loading: bytes of tensors that were read and packed, of those of all tensors. */
export type LoadProgress = TransferProgress;

/** Counts bytes, and reports each change. */
export class LoadReport {
  readonly #totalBytes: number;
  readonly #onProgress: ((progress: LoadProgress) => void) | undefined;
  readonly #rate = new TransferRate();
  #loadedBytes = 0;

  constructor(totalBytes: number, onProgress?: (progress: LoadProgress) => void) {
    this.#totalBytes = totalBytes;
    this.#onProgress = onProgress;
  }

  /** Adds bytes that are in place. Throws what the callback throws. */
  add(bytes: number): void {
    this.#loadedBytes += bytes;
    this.#onProgress?.(this.#rate.progress(this.#loadedBytes, this.#totalBytes));
  }
}
