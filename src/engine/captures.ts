/** Who waits for the activations of the next token that is decoded. */
import { abortable } from "../abortable.js";
import { type ActivationCapture, ActivationRecorder } from "../model/activations.js";
import type { PlmConfig } from "../model/config.js";

interface Waiting {
  resolve(capture: ActivationCapture): void;
  reject(reason: unknown): void;
}

export class Captures {
  readonly #config: PlmConfig;
  readonly #waiting = new Set<Waiting>();

  constructor(config: PlmConfig) {
    this.#config = config;
  }

  /** The next capture. Rejects with what `end` is given, and with the signal's reason. */
  async next(signal: AbortSignal | undefined): Promise<ActivationCapture> {
    let waiting: Waiting | undefined;
    const promise = new Promise<ActivationCapture>((resolve, reject) => {
      waiting = { resolve, reject };
      this.#waiting.add(waiting);
    });
    try {
      return await abortable(promise, signal);
    } finally {
      this.#waiting.delete(waiting!);
    }
  }

  /** A recorder for a pass, if somebody waits. */
  begin(): ActivationRecorder | undefined {
    return this.#waiting.size > 0 ? new ActivationRecorder(this.#config) : undefined;
  }

  /** A pass is over: its activations go to all that wait. */
  resolve(capture: ActivationCapture): void {
    for (const { resolve } of this.#waiting) resolve(capture);
    this.#waiting.clear();
  }

  /** There will be no pass any more. */
  end(reason: unknown): void {
    for (const { reject } of this.#waiting) reject(reason);
    this.#waiting.clear();
  }
}
