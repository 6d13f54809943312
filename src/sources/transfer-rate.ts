/** How fast bytes come, and when the last will be there. */
import { now as realNow } from "../clock.js";

/** The progress of what is loaded or downloaded. */
export interface TransferProgress {
  readonly loadedBytes: number;
  readonly totalBytes: number;
  /** Over the last seconds; undefined at the beginning. */
  readonly bytesPerSecond: number | undefined;
  /** At that rate. */
  readonly secondsLeft: number | undefined;
}

/** The rate is that of the last so many milliseconds. */
const WINDOW_MS = 5_000;

/** Shorter times say nothing. */
const LEAST_MS = 200;

export class TransferRate {
  readonly #now: () => number;
  /** The first is the oldest in the window. */
  readonly #samples: { readonly ms: number; readonly bytes: number }[] = [];

  constructor(now: () => number = realNow) {
    this.#now = now;
  }

  /** The progress when so many of all bytes are there. */
  progress(loadedBytes: number, totalBytes: number): TransferProgress {
    const ms = this.#now();
    const samples = this.#samples;
    samples.push({ ms, bytes: loadedBytes });
    while (samples.length > 2 && samples[1].ms <= ms - WINDOW_MS) samples.shift();
    const elapsedMs = ms - samples[0].ms;
    const isKnown = elapsedMs >= LEAST_MS;
    const rate = isKnown ? ((loadedBytes - samples[0].bytes) / elapsedMs) * 1000 : undefined;
    const left = rate !== undefined && rate > 0 ? (totalBytes - loadedBytes) / rate : undefined;
    return { loadedBytes, totalBytes, bytesPerSecond: rate, secondsLeft: left };
  }
}
