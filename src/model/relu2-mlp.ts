/** PLM's MLP: a squared ReLU between two products, the second of which skips its zeros. */
import { i16RowBytes, isFloatType, MOST_PAIRED_NEURONS, PACKED_TYPES } from "../kernels/packed.js";
import { SlabShape } from "../kernels/structs.js";
import type { Rows } from "./batch.js";
import type { Linear } from "./linear.js";
import type { ThreadParts } from "./parts.js";
import type { LayerWeights, Weight } from "./weights.js";

/** Squared-ReLU activations since the start, and how many of them were not zero. */
export interface SparsityCount {
  activations: number;
  nonZero: number;
}

export class Relu2Mlp {
  readonly sparsity: SparsityCount = { activations: 0, nonZero: 0 };
  readonly #parts: ThreadParts;
  readonly #linear: Linear;
  readonly #slabShape: SlabShape;

  constructor(parts: ThreadParts, linear: Linear) {
    this.#parts = parts;
    this.#linear = linear;
    this.#slabShape = new SlabShape(parts.memory, parts.buffers.slabShape);
  }

  /** blockOut = W_down relu2(W_up xNorm), reading only the down-projection's active neurons */
  evaluate({ upProj, downProj }: LayerWeights, parts: readonly Rows[]): void {
    const { member, buffers } = this.#parts;
    const { xNorm, up, quantized } = buffers;
    const normed = this.#linear.quantize(quantized, xNorm, parts, upProj, "ffn_up");
    member.join();
    this.#linear.multiply(up, upProj, normed);
    member.join();
    for (const rows of parts) this.#activate(rows, downProj);
    member.join();
    for (const rows of parts) this.#countActive(rows);
    for (const rows of parts) {
      // Tokens that decode read their own neurons: in long runs, or memory is slow.
      member.divide(downProj.rows, 64, rows.phase === "prefill", (first, end) => {
        this.#down(rows, downProj, first, end);
      });
    }
  }

  /** This thread's share of relu2 and of its results' form in the down-projection. */
  #activate(rows: Rows, downProj: Weight): void {
    const { config, kernels, memory, buffers } = this.#parts;
    const { intermediateSize } = config;
    const { up, upQuantized, activeScales } = buffers;
    const { type, cols } = downProj;
    const tiled = this.#isTiled(rows, downProj);
    const [first, end] = this.#linear.share(rows);
    const active = this.#activePtr(rows);
    const counts = new Uint32Array(memory.buffer, active, rows.n);
    const scales = new Float32Array(memory.buffer, activeScales, rows.first + rows.n);
    for (let row = first; row < end; row++) {
      const i = row - rows.first;
      const list = active + (rows.n + i * intermediateSize) * 4;
      const relu2 = up + row * intermediateSize * 4;
      counts[i] = kernels.relu2ActiveF32(relu2, intermediateSize, list);
      if (tiled) scales[row] = kernels.pairActiveF32(list, counts[i], relu2);
    }
    if (tiled || isFloatType(type)) return;
    const to = upQuantized + first * i16RowBytes(cols);
    this.#linear.quantizeRows(to, up + first * cols * 4, end - first, cols, "I16");
  }

  /** u32[count], the neurons of a part's first row that are not zero, until the next layer's. */
  activeNeurons(rows: Rows): Uint32Array {
    const active = this.#activePtr(rows);
    const { buffer } = this.#parts.memory;
    const [count] = new Uint32Array(buffer, active, 1);
    return new Uint32Array(buffer, active + rows.n * 4, count);
  }

  #countActive(rows: Rows): void {
    const { config, memory } = this.#parts;
    const counts = new Uint32Array(memory.buffer, this.#activePtr(rows), rows.n);
    for (const count of counts) this.sparsity.nonZero += count;
    this.sparsity.activations += rows.n * config.intermediateSize;
  }

  /** u32[n] counts and u32[n, intermediateSize] active neurons of these rows. */
  #activePtr({ first }: Rows): number {
    const { config, buffers } = this.#parts;
    return buffers.active + first * (1 + config.intermediateSize) * 4;
  }

  /** Whether the down-projection rounds weights and activations to tiles of 13 bits. */
  #isTiled({ phase }: Rows, { type, cols }: Weight): boolean {
    if (isFloatType(type) || this.#linear.precision === "exact") return false;
    return phase === "prefill" && cols <= MOST_PAIRED_NEURONS;
  }

  /** Y = X W^T of active neurons only: outputs first .. end */
  #down(rows: Rows, downProj: Weight, first: number, end: number): void {
    const { kernels, buffers } = this.#parts;
    const { ptr, type, rows: outputs, cols } = downProj;
    const { scratch } = buffers;
    const { n } = rows;
    const { id } = PACKED_TYPES[type];
    const shape = this.#slabShape.ptr;
    const active = this.#activePtr(rows);
    const y = buffers.blockOut + rows.first * outputs * 4;
    this.#slabShape.write({ neurons: cols, outputs, first, end });
    if (isFloatType(type)) {
      const up = buffers.up + rows.first * cols * 4;
      kernels.sparseMatmulF32(y, ptr, id, up, active, n, shape);
    } else if (this.#isTiled(rows, downProj)) {
      const scales = buffers.activeScales + rows.first * 4;
      kernels.sparseMatmulTiles(y, ptr, id, active, scales, n, shape, scratch);
    } else {
      const up = buffers.upQuantized + rows.first * i16RowBytes(cols);
      kernels.sparseMatmulI16(y, ptr, id, up, active, n, shape, scratch);
    }
  }
}
