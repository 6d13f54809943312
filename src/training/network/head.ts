/**
 * The tied output head and its loss, some hundred tokens at a time, so that no buffer holds the
 * logits of a whole batch.
 */

import { LOGIT_ROWS } from "../engine/buffers.js";
import type { TrainingParts } from "./parts.js";
import { Products } from "./products.js";

export class Head {
  readonly #parts: TrainingParts;
  readonly #products: Products;

  constructor(parts: TrainingParts) {
    this.#parts = parts;
    this.#products = new Products(parts);
  }

  /**
   * losses[t] = -log softmax(E xOutNorm[t])[target], in nats, 0 without a target; with a
   * `gradientScale`, also the gradients of their sum times it: dxNorm of the normed output, and the
   * embedding's share. Begins with a join; another comes before the last gradients are read.
   */
  run(gradientScale?: number): void {
    const { config, buffers, kernels, member, parameters, sizes } = this.#parts;
    const { hiddenSize, vocabSize } = config;
    const { embedTokens } = parameters;
    for (let t = 0; t < sizes.tokens; t += LOGIT_ROWS) {
      member.join();
      const count = Math.min(LOGIT_ROWS, sizes.tokens - t);
      const [first, end] = member.share(count, 4);
      const n = end - first;
      const x = buffers.xOutNorm + (t + first) * hiddenSize * 4;
      const logits = buffers.logits + first * vocabSize * 4;
      this.#products.forward(logits, x, embedTokens, n);
      const [targets, losses] = [
        buffers.targets + (t + first) * 4,
        buffers.losses + (t + first) * 8,
      ];
      kernels.crossEntropy(logits, targets, n, vocabSize, gradientScale ?? 0, losses);
      if (gradientScale === undefined) continue;
      const dx = buffers.grads.dxNorm + (t + first) * hiddenSize * 4;
      this.#products.toInput(dx, logits, embedTokens, n);
      member.join();
      const xPtr = buffers.xOutNorm + t * hiddenSize * 4;
      this.#products.toWeights(embedTokens, buffers.logits, xPtr, count);
    }
  }
}
