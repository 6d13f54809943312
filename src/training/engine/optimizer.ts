/** AdamW with decoupled weight decay (Loshchilov and Hutter 2019) and clipping by global norm. */

import { forwardMatrices } from "../network/parameters.js";
import { CLIP, GRADIENT_NORM, type TrainingParts } from "../network/parts.js";
import { SQUARES_BLOCK } from "./buffers.js";
import { STRUCT_OFFSETS } from "./structs.js";

/** Index in `hyper` of the factor of the gradients. */
const GRADIENT_FACTOR = 7;
/** Index of the weight decay, which norms do not have. */
const WEIGHT_DECAY = 4;

export class Optimizer {
  readonly #parts: TrainingParts;
  /** This thread's copy of the shared hyperparameters. */
  readonly #hyper: Float32Array;
  readonly #shared: Float32Array;

  constructor(parts: TrainingParts) {
    const { memory, buffers } = parts;
    this.#parts = parts;
    this.#shared = new Float32Array(memory.buffer, buffers.hyper, 16);
    this.#hyper = new Float32Array(memory.buffer, parts.structsPtr + STRUCT_OFFSETS.adamw, 8);
  }

  /** Sets this thread's share of the gradients to 0. */
  clear(): void {
    const { buffers, member, memory, parameters } = this.#parts;
    const [first, end] = member.share(parameters.length, 16);
    new Float32Array(memory.buffer, buffers.gradients, parameters.length).fill(0, first, end);
  }

  /** Brings the transposed matrices up to date with the parameters. */
  transpose(): void {
    const { buffers, kernels, member, parameters } = this.#parts;
    forwardMatrices(parameters).forEach(({ offset, rows, cols }, i) => {
      if (i % member.count !== member.index) return;
      const to = buffers.transposed.get(offset)!;
      kernels.transpose(to, buffers.values + offset * 4, rows, cols);
    });
  }

  /**
   * One step of AdamW on this thread's share of the parameters, with gradients scaled so that their
   * norm is at most `clip`, and on the transposed matrices; nothing if the norm is not finite.
   */
  update(): void {
    const { member } = this.#parts;
    const norm = this.#gradientNorm();
    const clip = this.#shared[CLIP];
    if (member.index === 0) this.#shared[GRADIENT_NORM] = norm;
    if (!Number.isFinite(norm)) return;
    this.#hyper.set(this.#shared.subarray(0, 8));
    this.#hyper[GRADIENT_FACTOR] = norm > clip ? clip / norm : 1;
    for (const { offset, rows, cols, decays } of this.#parts.parameters.all) {
      this.#hyper[WEIGHT_DECAY] = decays ? this.#shared[WEIGHT_DECAY] : 0;
      const [first, end] = member.share(rows * cols, 4);
      this.#updateRange(offset + first, end - first);
    }
    member.join();
    this.transpose();
  }

  #updateRange(first: number, count: number): void {
    const { buffers, kernels } = this.#parts;
    if (count === 0) return;
    const at = (ptr: number): number => ptr + first * 4;
    const { values, gradients, firstMoments, secondMoments } = buffers;
    const [p, g, m, v] = [at(values), at(gradients), at(firstMoments), at(secondMoments)];
    kernels.adamw(p, g, m, v, count, this.#hyper.byteOffset);
  }

  /** The norm of all gradients, summed in blocks, so that it does not depend on the threads. */
  #gradientNorm(): number {
    const { buffers, kernels, member, memory, parameters } = this.#parts;
    const { length } = parameters;
    const squares = new Float64Array(
      memory.buffer,
      buffers.squares,
      Math.ceil(length / SQUARES_BLOCK),
    );
    const [first, end] = member.share(squares.length);
    for (let i = first; i < end; i++) {
      const count = Math.min(SQUARES_BLOCK, length - i * SQUARES_BLOCK);
      squares[i] = kernels.sumSquares(buffers.gradients + i * SQUARES_BLOCK * 4, count);
    }
    member.join();
    return Math.sqrt(squares.reduce((sum, square) => sum + square, 0));
  }
}
