/**
 * Dropout (Srivastava et al. 2014) of the embeddings and of each sublayer's output, as in GPT-2.
 * Forward and backward drop the same elements, on any number of threads.
 */
import type { Tokens } from "./norms.js";
import { DROPOUT, DROPOUT_KEY, type TrainingParts } from "./parts.js";

/** The places of dropout in a model. */
export const EMBEDDING_SITE = 0;
export const attentionSite = (layer: number): number => 1 + 2 * layer;
export const mlpSite = (layer: number): number => 2 + 2 * layer;

export class Dropout {
  readonly #parts: TrainingParts;
  readonly #hyper: Float32Array;
  readonly #work: Int32Array;

  constructor(parts: TrainingParts) {
    const { buffers, memory } = parts;
    this.#parts = parts;
    this.#hyper = new Float32Array(memory.buffer, buffers.hyper, 16);
    this.#work = new Int32Array(memory.buffer, buffers.work, 16);
  }

  /** f32[tokens, hiddenSize] of some tokens, in place; the address is that of token 0 */
  apply(xPtr: number, site: number, [first, n]: Tokens): void {
    const share = this.#hyper[DROPOUT];
    if (share === 0) return;
    const { config, kernels } = this.#parts;
    const at = first * config.hiddenSize;
    const key = this.#work[DROPOUT_KEY] ^ Math.imul(site + 1, 0x85ebca6b);
    const threshold = Math.round(share * 2 ** 32);
    const count = n * config.hiddenSize;
    kernels.dropout(xPtr + at * 4, count, at, key, threshold, 1 / (1 - share));
  }
}
