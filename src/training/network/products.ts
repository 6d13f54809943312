/** The three products of a linear layer in training: forward, to the input, and to the weights. */

import type { Parameter } from "./parameters.js";
import type { TrainingParts } from "./parts.js";

/** Some of a parameter's rows; all by default. */
export interface RowRange {
  readonly first: number;
  readonly end: number;
}

export class Products {
  readonly #parts: TrainingParts;
  readonly #shape: Int32Array;

  constructor(parts: TrainingParts) {
    this.#parts = parts;
    this.#shape = new Int32Array(parts.memory.buffer, parts.shapePtr, 8);
  }

  /** Y[n, rows] = X[n, cols] W^T, of some of W's rows. */
  forward(yPtr: number, xPtr: number, w: Parameter, n: number, range?: RowRange): void {
    const { first, end } = range ?? { first: 0, end: w.rows };
    const bPtr = this.#parts.buffers.transposed.get(w.offset)! + first * 4;
    this.#gemm(yPtr, xPtr, bPtr, [n, end - first, w.cols, w.cols, 1, w.rows, end - first, 0]);
  }

  /** dX[n, cols] = or, if `adds`, += dY[n, rows] W, of some of W's rows. */
  toInput(
    dxPtr: number,
    dyPtr: number,
    w: Parameter,
    n: number,
    { adds = false, range }: { adds?: boolean; range?: RowRange } = {},
  ): void {
    const { first, end } = range ?? { first: 0, end: w.rows };
    const rows = end - first;
    const bPtr = this.#parts.buffers.values + (w.offset + first * w.cols) * 4;
    this.#gemm(dxPtr, dyPtr, bPtr, [n, w.cols, rows, rows, 1, w.cols, w.cols, Number(adds)]);
  }

  /** dW[rows, cols] += dY[n, rows]^T X[n, cols], of some of W's rows: this thread's share. */
  toWeights(w: Parameter, dyPtr: number, xPtr: number, n: number, range?: RowRange): void {
    const { first, end } = range ?? { first: 0, end: w.rows };
    const rows = end - first;
    const [own, ownEnd] = this.#parts.member.share(rows, 4);
    if (own === ownEnd) return;
    const cPtr = this.#parts.buffers.gradients + (w.offset + (first + own) * w.cols) * 4;
    const shape = [ownEnd - own, w.cols, n, 1, rows, w.cols, w.cols, 1];
    this.#gemm(cPtr, dyPtr + own * 4, xPtr, shape);
  }

  #gemm(cPtr: number, aPtr: number, bPtr: number, shape: readonly number[]): void {
    const { kernels, shapePtr, scratchPtr } = this.#parts;
    if (shape[0] === 0) return;
    this.#shape.set(shape);
    kernels.gemm(cPtr, aPtr, bPtr, shapePtr, scratchPtr);
  }
}
