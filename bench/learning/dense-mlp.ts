/** An MLP without zeros: next = xMid + W_down f(W_up RMSNorm(xMid)), for runs of one thread. */
import type { MemoryPlan } from "../../src/kernels/arena.js";
import { Norms } from "../../src/training/network/norms.js";
import type { TrainingParts } from "../../src/training/network/parts.js";
import { Products } from "../../src/training/network/products.js";
import type { MlpSublayer } from "../../src/training/network/sublayer.js";
import type { Activation } from "./activations.js";

/** Addresses of its buffers besides those of PLM's MLP; T tokens. */
export interface DenseMlpBuffers {
  /** f32[T, intermediateSize] of each layer: the activation's output */
  readonly hidden: readonly number[];
  /** f32[T, intermediateSize] and f32[T, rows of up]: gradients */
  readonly dHidden: number;
  readonly dUp: number;
  /** f32[hiddenSize, intermediateSize]: `down` of the current layer of backward */
  readonly down: number;
}

/** Plans the buffers. */
export function planDenseMlp(
  memory: MemoryPlan,
  { upRows }: Activation,
  { config, sizes }: Pick<TrainingParts, "config" | "sizes">,
): DenseMlpBuffers {
  const { intermediateSize, hiddenSize, numHiddenLayers } = config;
  const f32 = (name: string, n: number): number => memory.add("scratch", name, n * 4);
  const width = sizes.tokens * intermediateSize;
  return {
    hidden: Array.from({ length: numHiddenLayers }, () => f32("hidden", width)),
    dHidden: f32("d of hidden", width),
    dUp: f32("d of up", width * upRows),
    down: f32("down transposed", hiddenSize * intermediateSize),
  };
}

export class DenseMlp implements MlpSublayer {
  readonly #parts: TrainingParts;
  readonly #own: DenseMlpBuffers;
  readonly #activation: Activation;
  readonly #products: Products;
  readonly #norms: Norms;

  /** `parts` has buffers `up` of the activation's rows, and `own.down` among the transposed. */
  constructor(parts: TrainingParts, own: DenseMlpBuffers, activation: Activation) {
    this.#parts = parts;
    this.#own = own;
    this.#activation = activation;
    this.#products = new Products(parts);
    this.#norms = new Norms(parts);
  }

  /** Returns the number of all activations: none is expected to be zero. */
  forward(layer: number, first: number, n: number): number {
    const { config, buffers, memory, parameters } = this.#parts;
    const { hiddenSize, intermediateSize } = config;
    const { postAttentionLayernorm, upProj, downProj } = parameters.layers[layer];
    const kept = buffers.layers[layer];
    const next = buffers.layers[layer + 1]?.x ?? buffers.xOut;
    const at = (ptr: number, width: number): number => ptr + first * width * 4;
    this.#norms.forward(kept.xMidNorm, kept.xMid, postAttentionLayernorm, [first, n]);
    this.#products.forward(at(kept.up, upProj.rows), at(kept.xMidNorm, hiddenSize), upProj, n);
    const hidden = this.#own.hidden[layer];
    for (let t = first; t < first + n; t++) {
      const up = this.#row(kept.up, upProj.rows, t);
      this.#activation.forward(this.#row(hidden, intermediateSize, t), up);
    }
    const from = at(kept.xMid, hiddenSize);
    const to = at(next, hiddenSize);
    new Uint8Array(memory.buffer).copyWithin(to, from, from + n * hiddenSize * 4);
    this.#products.toInput(to, at(hidden, intermediateSize), downProj, n, { adds: true });
    return n * intermediateSize;
  }

  backward(layer: number, first: number, n: number): void {
    const { config, buffers, kernels, memory, parameters } = this.#parts;
    const { hiddenSize, intermediateSize } = config;
    const { postAttentionLayernorm, upProj, downProj } = parameters.layers[layer];
    const { dx, dMlpOut, dxMidNorm } = buffers.grads;
    const { dHidden, dUp, down } = this.#own;
    const kept = buffers.layers[layer];
    const at = (ptr: number, width: number): number => ptr + first * width * 4;
    const from = at(dx, hiddenSize);
    const dOut = at(dMlpOut, hiddenSize);
    new Uint8Array(memory.buffer).copyWithin(dOut, from, from + n * hiddenSize * 4);
    kernels.transpose(down, buffers.values + downProj.offset * 4, intermediateSize, hiddenSize);
    // `down` lies [neurons, outputs]: a product with dOut's rows reads its transpose.
    this.#products.forward(at(dHidden, intermediateSize), dOut, downProj, n);
    for (let t = first; t < first + n; t++) {
      const [to, up] = [dUp, kept.up].map((ptr) => this.#row(ptr, upProj.rows, t));
      this.#activation.backward(to, this.#row(dHidden, intermediateSize, t), up);
    }
    this.#products.toInput(at(dxMidNorm, hiddenSize), at(dUp, upProj.rows), upProj, n);
    this.#norms.toInput(dx, kept.xMid, postAttentionLayernorm, dxMidNorm, [first, n]);
  }

  addWeights(layer: number): void {
    const { buffers, parameters, sizes } = this.#parts;
    const { postAttentionLayernorm, upProj, downProj } = parameters.layers[layer];
    const { dMlpOut, dxMidNorm } = buffers.grads;
    const { xMid, xMidNorm } = buffers.layers[layer];
    this.#products.toWeights(downProj, this.#own.hidden[layer], dMlpOut, sizes.tokens);
    this.#products.toWeights(upProj, this.#own.dUp, xMidNorm, sizes.tokens);
    this.#norms.toGain(postAttentionLayernorm, xMid, dxMidNorm);
  }

  #row(ptr: number, width: number, token: number): Float32Array {
    return new Float32Array(this.#parts.memory.buffer, ptr + token * width * 4, width);
  }
}
