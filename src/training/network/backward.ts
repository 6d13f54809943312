/**
 * PLM's backward pass: the gradients of the loss in every parameter, added to `gradients`. A layer
 * has two steps: a thread goes back through its own sequences; after a join it sums its share of
 * the weights' gradients over all tokens. So no sum depends on the number of threads.
 */
import { Dropout, EMBEDDING_SITE } from "./dropout.js";
import { ownTokens } from "./forward.js";
import { Head } from "./head.js";
import { Norms } from "./norms.js";
import type { TrainingParts } from "./parts.js";
import type { Sublayers } from "./sublayer.js";

export class Backward {
  readonly #parts: TrainingParts;
  readonly #sublayers: Sublayers;
  readonly #head: Head;
  readonly #norms: Norms;
  readonly #dropout: Dropout;

  constructor(parts: TrainingParts, sublayers: Sublayers) {
    this.#parts = parts;
    this.#sublayers = sublayers;
    this.#head = new Head(parts);
    this.#norms = new Norms(parts);
    this.#dropout = new Dropout(parts);
  }

  /** After forward: the losses, and the gradients of their sum times `gradientScale`. */
  run(gradientScale: number): void {
    const { config, buffers, kernels, member, memory, parameters, sizes } = this.#parts;
    const { attention, mlp } = this.#sublayers;
    const { hiddenSize } = config;
    const { grads } = buffers;
    const { first, end } = ownTokens(this.#parts);
    const n = end - first;
    this.#head.run(gradientScale);
    member.join();
    const dx = grads.dx + first * hiddenSize * 4;
    new Uint8Array(memory.buffer, dx, n * hiddenSize * 4).fill(0);
    this.#norms.toInput(grads.dx, buffers.xOut, parameters.norm, grads.dxNorm, [first, n]);
    this.#norms.toGain(parameters.norm, buffers.xOut, grads.dxNorm);
    for (let layer = parameters.layers.length - 1; layer >= 0; layer--) {
      // Until here other threads may read buffers that the next layer writes.
      member.join();
      mlp.backward(layer, first, n);
      attention.backward(layer, first, n);
      member.join();
      mlp.addWeights(layer);
      attention.addWeights(layer);
    }
    this.#dropout.apply(grads.dx, EMBEDDING_SITE, [first, n]);
    member.join();
    const [own, ownEnd] = member.share(hiddenSize, 4);
    const table = buffers.gradients + parameters.embedTokens.offset * 4;
    kernels.scatterAddRows(table, buffers.ids, grads.dx, sizes.tokens, hiddenSize, own, ownEnd);
  }
}
