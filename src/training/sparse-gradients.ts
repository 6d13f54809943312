/**
 * The backward pass of the squared-ReLU MLP. Where an activation is zero, so is its gradient: all
 * but the product that finds out what is zero goes over lists of the others.
 */
import { PAIR_BYTES } from "./kernels.js";
import type { LayerParameters, Parameter } from "./parameters.js";
import type { TrainingParts } from "./parts.js";
import type { LayerBuffers } from "./plan.js";

export class SparseGradients {
  readonly #parts: TrainingParts;

  constructor(parts: TrainingParts) {
    this.#parts = parts;
  }

  /** dxMidNorm of some tokens from dMlpOut, and their lists for `addWeights` */
  throughMlp(
    { upProj, downProj }: LayerParameters,
    kept: LayerBuffers,
    first: number,
    n: number,
  ): void {
    const { config, buffers, kernels, memory } = this.#parts;
    const { hiddenSize, intermediateSize } = config;
    const { grads, pairs } = buffers;
    const counts = new Uint32Array(memory.buffer, pairs.counts + first * 4, n);
    const down = buffers.values + downProj.offset * 4;
    const upWeights = buffers.values + upProj.offset * 4;
    for (let i = 0; i < n; i++) {
      const row = (ptr: number, width: number): number => ptr + (first + i) * width * 4;
      const up = row(kept.up, intermediateSize);
      const active = row(pairs.active, intermediateSize * 2);
      const activeGrad = row(pairs.activeGrad, intermediateSize * 2);
      const dy = row(grads.dMlpOut, hiddenSize);
      counts[i] = kernels.relu2Pairs(active, up, intermediateSize);
      kernels.relu2GradPairs(activeGrad, active, counts[i], up, dy, down, hiddenSize);
      const dx = row(grads.dxMidNorm, hiddenSize);
      kernels.sparseRows(dx, activeGrad, counts[i], upWeights, hiddenSize, 0);
    }
  }

  /** This thread's share of the neurons' gradients, over all tokens. */
  addWeights({ upProj, downProj }: LayerParameters, kept: LayerBuffers): void {
    const { grads, pairs } = this.#parts.buffers;
    this.#addNeurons(downProj, pairs.active, grads.dMlpOut);
    this.#addNeurons(upProj, pairs.activeGrad, kept.xMidNorm);
  }

  /** dW[neuron] += sum over tokens of value[token, neuron] x[token] */
  #addNeurons({ offset, cols }: Parameter, pairsPtr: number, xPtr: number): void {
    const { config, buffers, kernels, member, memory, sizes } = this.#parts;
    const { tokens } = sizes;
    const { pairs, gradients } = buffers;
    const [first, end] = member.share(config.intermediateSize, 4);
    const { columns, columnCounts } = pairs;
    const width = config.intermediateSize;
    kernels.transposePairs(
      columns,
      columnCounts,
      pairsPtr,
      pairs.counts,
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
