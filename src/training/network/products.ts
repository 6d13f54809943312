/** A linear layer's products in training: forward, and the gradients of input and weights. */

import { type GemmFields, GemmShape, STRUCT_OFFSETS } from "../engine/structs.js";
import type { Parameter } from "./parameters.js";
import type { TrainingParts } from "./parts.js";

/** Some of a parameter's rows; all by default. */
export interface RowRange {
  readonly first: number;
  readonly end: number;
}

export class Products {
  readonly #parts: TrainingParts;
  readonly #shape: GemmShape;

  constructor(parts: TrainingParts) {
    this.#parts = parts;
    this.#shape = new GemmShape(parts.memory, parts.structsPtr + STRUCT_OFFSETS.gemm);
  }

  /** Y[n, rows] = X[n, cols] W^T, of some of W's rows. */
  forward(yPtr: number, xPtr: number, w: Parameter, n: number, range?: RowRange): void {
    const { first, end } = range ?? { first: 0, end: w.rows };
    const bPtr = this.#parts.buffers.transposed.get(w.offset)! + first * 4;
    const rows = end - first;
    this.#gemm(yPtr, xPtr, bPtr, {
      ...{ m: n, n: rows, k: w.cols, aRow: w.cols, aCol: 1, bRow: w.rows, cRow: rows },
      accumulate: false,
    });
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
    this.#gemm(dxPtr, dyPtr, bPtr, {
      ...{ m: n, n: w.cols, k: rows, aRow: rows, aCol: 1, bRow: w.cols, cRow: w.cols },
      accumulate: adds,
    });
  }

  /** dW[rows, cols] += dY[n, rows]^T X[n, cols], of some of W's rows: this thread's share. */
  toWeights(w: Parameter, dyPtr: number, xPtr: number, n: number, range?: RowRange): void {
    const { first, end } = range ?? { first: 0, end: w.rows };
    const rows = end - first;
    const [own, ownEnd] = this.#parts.member.share(rows, 4);
    if (own === ownEnd) return;
    const cPtr = this.#parts.buffers.gradients + (w.offset + (first + own) * w.cols) * 4;
    this.#gemm(cPtr, dyPtr + own * 4, xPtr, {
      ...{ m: ownEnd - own, n: w.cols, k: n, aRow: 1, aCol: rows, bRow: w.cols, cRow: w.cols },
      accumulate: true,
    });
  }

  #gemm(cPtr: number, aPtr: number, bPtr: number, shape: GemmFields): void {
    const { kernels, scratchPtr } = this.#parts;
    if (shape.m === 0) return;
    this.#shape.write(shape);
    kernels.gemm(cPtr, aPtr, bPtr, this.#shape.ptr, scratchPtr);
  }
}
