/**
 * The squared-ReLU MLP in training: next = xMid + W_down relu2(W_up RMSNorm(xMid)), forward and
 * backward. Where an activation is zero, so is its gradient: every product except the one that
 * determines the zeros goes over lists of the other activations.
 */
import { RELU2_MLP_TENSORS } from "../../model/plm-tensors.js";
import { PAIR_BYTES } from "../engine/kernels.js";
import { Dropout, mlpSite } from "./dropout.js";
import { Norms } from "./norms.js";
import type { Parameter } from "./parameters.js";
import type { TrainingParts } from "./parts.js";
import { Products } from "./products.js";
import type { MlpSublayer, SublayerKind } from "./sublayer.js";

interface MlpNames {
  readonly tensor: keyof typeof RELU2_MLP_TENSORS;
  readonly kept: "up";
  readonly grad: "active" | "activeGrad" | "activeCounts" | "columns" | "columnCounts";
}

export const RELU2_MLP: SublayerKind<MlpSublayer, MlpNames> = {
  tensors: RELU2_MLP_TENSORS,
  kept: {
    /** f32: before the squared ReLU. */
    up: (c, { tokens }) => [tokens, c.intermediateSize],
  },
  grads: {
    /** Pairs (u32 neuron, f32 value) of each token's activations, and of their gradients. */
    active: (c, { tokens }) => [tokens, c.intermediateSize, 2],
    activeGrad: (c, { tokens }) => [tokens, c.intermediateSize, 2],
    /** u32: their counts. */
    activeCounts: (_, { tokens }) => [tokens],
    /** Pairs (u32 token, f32 value) of each neuron, and u32 counts. */
    columns: (c, { tokens }) => [c.intermediateSize, tokens, 2],
    columnCounts: (c) => [c.intermediateSize],
  },
  create: (parts) => new Mlp(parts),
};

class Mlp implements MlpSublayer {
  readonly #parts: TrainingParts<MlpNames>;
  readonly #products: Products;
  readonly #norms: Norms;
  readonly #dropout: Dropout;

  constructor(parts: TrainingParts<MlpNames>) {
    this.#parts = parts;
    this.#products = new Products(parts);
    this.#norms = new Norms(parts);
    this.#dropout = new Dropout(parts);
  }

  forward(layer: number, first: number, n: number): number {
    const { config, buffers, kernels, parameters } = this.#parts;
    const { hiddenSize, intermediateSize } = config;
    const { postAttentionLayernorm, upProj, downProj } = parameters.layers[layer];
    const kept = buffers.layers[layer];
    const next = buffers.layers[layer + 1]?.x ?? buffers.xOut;
    const row = (ptr: number, width: number, i = 0): number => ptr + (first + i) * width * 4;
    this.#norms.forward(kept.xMidNorm, kept.xMid, postAttentionLayernorm, [first, n]);
    const xMidNorm = row(kept.xMidNorm, hiddenSize);
    this.#products.forward(row(kept.up, intermediateSize), xMidNorm, upProj, n);
    const down = buffers.values + downProj.offset * 4;
    let nonZero = 0;
    for (let i = 0; i < n; i++) {
      const pairs = row(buffers.grads.active, intermediateSize * 2, i);
      const up = row(kept.up, intermediateSize, i);
      const count = kernels.relu2Pairs(pairs, up, intermediateSize);
      kernels.sparseRows(row(next, hiddenSize, i), pairs, count, down, hiddenSize, 0);
      nonZero += count;
    }
    this.#dropout.apply(next, mlpSite(layer), [first, n]);
    kernels.addF32(row(next, hiddenSize), row(kept.xMid, hiddenSize), n * hiddenSize);
    return nonZero;
  }

  /** dx of xMid from dx of the layer's output; keeps the latter, after dropout, as dMlpOut */
  backward(layer: number, first: number, n: number): void {
    const { config, buffers, memory, parameters } = this.#parts;
    const { hiddenSize } = config;
    const { dx, dMlpOut, dxMidNorm } = buffers.grads;
    const [at, bytes] = [first * hiddenSize * 4, n * hiddenSize * 4];
    new Uint8Array(memory.buffer).copyWithin(dMlpOut + at, dx + at, dx + at + bytes);
    this.#dropout.apply(dMlpOut, mlpSite(layer), [first, n]);
    this.#toNormed(layer, first, n);
    const { postAttentionLayernorm } = parameters.layers[layer];
    const { xMid } = buffers.layers[layer];
    this.#norms.toInput(dx, xMid, postAttentionLayernorm, dxMidNorm, [first, n]);
  }

  addWeights(layer: number): void {
    const { buffers, parameters } = this.#parts;
    const { grads } = buffers;
    const { upProj, downProj, postAttentionLayernorm } = parameters.layers[layer];
    const { xMid, xMidNorm } = buffers.layers[layer];
    this.#addNeurons(downProj, grads.active, grads.dMlpOut);
    this.#addNeurons(upProj, grads.activeGrad, xMidNorm);
    this.#norms.toGain(postAttentionLayernorm, xMid, grads.dxMidNorm);
  }

  /** dxMidNorm of some tokens from dMlpOut, and their lists for `addWeights` */
  #toNormed(layer: number, first: number, n: number): void {
    const { config, buffers, kernels, memory, parameters } = this.#parts;
    const { hiddenSize, intermediateSize } = config;
    const { upProj, downProj } = parameters.layers[layer];
    const { grads } = buffers;
    const counts = new Uint32Array(memory.buffer, grads.activeCounts + first * 4, n);
    const down = buffers.values + downProj.offset * 4;
    const upWeights = buffers.values + upProj.offset * 4;
    for (let i = 0; i < n; i++) {
      const row = (ptr: number, width: number): number => ptr + (first + i) * width * 4;
      const up = row(buffers.layers[layer].up, intermediateSize);
      const active = row(grads.active, intermediateSize * 2);
      const activeGrad = row(grads.activeGrad, intermediateSize * 2);
      const dy = row(grads.dMlpOut, hiddenSize);
      counts[i] = kernels.relu2Pairs(active, up, intermediateSize);
      kernels.relu2GradPairs(activeGrad, active, counts[i], up, dy, down, hiddenSize);
      const dx = row(grads.dxMidNorm, hiddenSize);
      kernels.sparseRows(dx, activeGrad, counts[i], upWeights, hiddenSize, 0);
    }
  }

  /** dW[neuron] += sum over tokens of value[token, neuron] x[token] */
  #addNeurons({ offset, cols }: Parameter, pairsPtr: number, xPtr: number): void {
    const { config, buffers, kernels, member, memory, sizes } = this.#parts;
    const { tokens } = sizes;
    const { grads, gradients } = buffers;
    const [first, end] = member.share(config.intermediateSize, 4);
    const { activeCounts, columns, columnCounts } = grads;
    const width = config.intermediateSize;
    kernels.transposePairs(
      columns,
      columnCounts,
      pairsPtr,
      activeCounts,
      tokens,
      width,
      first,
      end,
    );
    const counts = new Uint32Array(memory.buffer, columnCounts, width);
    for (let neuron = first; neuron < end; neuron++) {
      const rowPtr = gradients + (offset + neuron * cols) * 4;
      const list = columns + neuron * tokens * PAIR_BYTES;
      kernels.sparseRows(rowPtr, list, counts[neuron], xPtr, cols, 1);
    }
  }
}
