/**
 * PLM's forward pass in training: as in src/model/plm.ts, but in f32, with attention in expanded
 * form. It keeps what the backward pass needs. A thread computes whole sequences and needs no join.
 */
import { Dropout, EMBEDDING_SITE } from "./dropout.js";
import { Norms } from "./norms.js";
import type { TrainingParts } from "./parts.js";
import type { Sublayers } from "./sublayer.js";

/** The tokens of a thread. */
export interface TokenRange {
  readonly first: number;
  readonly end: number;
}

/** This thread's whole sequences. */
export function ownTokens({ member, sizes }: TrainingParts): TokenRange {
  const { tokens, contextLength } = sizes;
  const [first, end] = member.share(tokens, contextLength);
  return { first, end };
}

export class Forward {
  readonly #parts: TrainingParts;
  readonly #sublayers: Sublayers;
  readonly #norms: Norms;
  readonly #dropout: Dropout;

  constructor(parts: TrainingParts, sublayers: Sublayers) {
    this.#parts = parts;
    this.#sublayers = sublayers;
    this.#norms = new Norms(parts);
    this.#dropout = new Dropout(parts);
  }

  /** xOut and xOutNorm of this thread's tokens; counts the activations that are not zero. */
  run(): void {
    const { config, buffers, kernels, memory, parameters, member } = this.#parts;
    const { attention, mlp } = this.#sublayers;
    const { first, end } = ownTokens(this.#parts);
    const n = end - first;
    const { length } = parameters.layers;
    const countsPtr = buffers.nonZero + member.index * length * 4;
    const counts = new Uint32Array(memory.buffer, countsPtr, length);
    counts.fill(0);
    if (n === 0) return;
    const xPtr = buffers.layers[0].x + first * config.hiddenSize * 4;
    const table = buffers.values + parameters.embedTokens.offset * 4;
    kernels.gatherRows(xPtr, table, buffers.ids + first * 4, n, config.hiddenSize);
    this.#dropout.apply(buffers.layers[0].x, EMBEDDING_SITE, [first, n]);
    for (let layer = 0; layer < length; layer++) {
      attention.forward(layer, first, n);
      counts[layer] = mlp.forward(layer, first, n);
    }
    this.#norms.forward(buffers.xOutNorm, buffers.xOut, parameters.norm, [first, n]);
  }
}
