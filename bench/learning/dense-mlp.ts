/** MLPs without zeros: next = xMid + W_down f(W_up RMSNorm(xMid)), for runs of one thread. */
import type { PlmConfig } from "../../src/model/config.js";
import { RELU2_MLP_TENSORS } from "../../src/model/plm-tensors.js";
import { matrix } from "../../src/model/tensor-table.js";
import { Norms } from "../../src/training/network/norms.js";
import type { TrainingParts } from "../../src/training/network/parts.js";
import { Products } from "../../src/training/network/products.js";
import type { MlpSublayer, SublayerKind } from "../../src/training/network/sublayer.js";
import type { Activation } from "./activations.js";

interface DenseMlpNames {
  readonly tensor: keyof typeof RELU2_MLP_TENSORS;
  readonly kept: "up" | "hidden";
  readonly grad: "dUp" | "dHidden" | "down";
}

/** PLM's tensors, with as many rows of `up` as the activation has. */
export function denseMlp(activation: Activation): SublayerKind<MlpSublayer, DenseMlpNames> {
  const upRows = (c: PlmConfig): number => activation.upRows * c.intermediateSize;
  return {
    tensors: {
      ...RELU2_MLP_TENSORS,
      upProj: (c) => matrix("ffn_up", "mlp.up_proj", [upRows(c), c.hiddenSize]),
    },
    kept: {
      up: (c, { tokens }) => [tokens, upRows(c)],
      /** The activation's output. */
      hidden: (c, { tokens }) => [tokens, c.intermediateSize],
    },
    grads: {
      dUp: (c, { tokens }) => [tokens, upRows(c)],
      dHidden: (c, { tokens }) => [tokens, c.intermediateSize],
      /** `down` of the current layer of backward, transposed. */
      down: (c) => [c.hiddenSize, c.intermediateSize],
    },
    create: (parts) => new DenseMlp(parts, activation),
  };
}

class DenseMlp implements MlpSublayer {
  readonly #parts: TrainingParts<DenseMlpNames>;
  readonly #activation: Activation;
  readonly #products: Products;
  readonly #norms: Norms;

  constructor(parts: TrainingParts<DenseMlpNames>, activation: Activation) {
    this.#parts = parts;
    this.#activation = activation;
    // `down` lies [neurons, outputs]: a product with dOut's rows reads its transpose.
    const { buffers, parameters } = parts;
    const downs = parameters.layers.map(({ downProj: { offset } }): [number, number] => [
      offset,
      buffers.grads.down,
    ]);
    const transposed = new Map([...buffers.transposed, ...downs]);
    this.#products = new Products({ ...parts, buffers: { ...buffers, transposed } });
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
    const { hidden } = kept;
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
    const { dx, dMlpOut, dxMidNorm, dHidden, dUp, down } = buffers.grads;
    const kept = buffers.layers[layer];
    const at = (ptr: number, width: number): number => ptr + first * width * 4;
    const from = at(dx, hiddenSize);
    const dOut = at(dMlpOut, hiddenSize);
    new Uint8Array(memory.buffer).copyWithin(dOut, from, from + n * hiddenSize * 4);
    kernels.transpose(down, buffers.values + downProj.offset * 4, intermediateSize, hiddenSize);
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
    const { dMlpOut, dxMidNorm, dUp } = buffers.grads;
    const { xMid, xMidNorm, hidden } = buffers.layers[layer];
    this.#products.toWeights(downProj, hidden, dMlpOut, sizes.tokens);
    this.#products.toWeights(upProj, dUp, xMidNorm, sizes.tokens);
    this.#norms.toGain(postAttentionLayernorm, xMid, dxMidNorm);
  }

  #row(ptr: number, width: number, token: number): Float32Array {
    return new Float32Array(this.#parts.memory.buffer, ptr + token * width * 4, width);
  }
}
