/** Packs rows of tensors, in the file's form, into their place in memory. */
import { PlmError } from "../errors.js";
import { TENSOR_TYPES } from "../format/dtypes.js";
import type { TensorInfo } from "../format/tensors.js";
import type { Kernels } from "../kernels/kernels.js";
import {
  isFloatType,
  PACK_SCRATCH_BYTES,
  PACKED_TYPES,
  packedBytes,
  unpackedPanelBytes,
} from "../kernels/packed.js";
import { SlabShape } from "../kernels/structs.js";
import { eachWeight, PACKED_TYPE_OF, type PlmWeights } from "../model/weights.js";
import { type Chunk, fileShape } from "./chunks.js";

/** What the pack kernels report, as bits. */
const NOT_FINITE = 1;
const TOO_LARGE = 2;

/** Work bytes of one packer: the kernels' scratch, and one panel in every form. */
export function packerBytes(weights: PlmWeights): number {
  let cols = 0;
  for (const weight of eachWeight(weights)) {
    for (const tensor of weight.tensors) cols = Math.max(cols, fileShape(tensor).cols);
  }
  const bytes =
    64 + PACK_SCRATCH_BYTES + packedBytes("F32", 8, cols) + unpackedPanelBytes(cols) + cols * 4;
  return Math.ceil(bytes / 64) * 64;
}

/** Throws INVALID_FILE or UNSUPPORTED_FILE for what packing a chunk found. */
export function checkPacked({ tensor, firstRow, rows }: Chunk, bad: number): void {
  const where = `rows ${firstRow} to ${firstRow + rows - 1}`;
  if ((bad & NOT_FINITE) !== 0) {
    throw new PlmError(
      "INVALID_FILE",
      `${tensor.name}: expected finite weights, got NaN or infinity in ${where}`,
    );
  }
  if ((bad & TOO_LARGE) !== 0) {
    throw new PlmError(
      "UNSUPPORTED_FILE",
      `${tensor.name}: expected block scales below 128, got a larger one in ${where}`,
    );
  }
}

/** Packs chunks, one at a time. */
export class Packer {
  readonly #kernels: Kernels;
  readonly #memory: WebAssembly.Memory;
  readonly #shape: SlabShape;
  readonly #scratchPtr: number;
  /** Behind the pack scratch: 8 packed rows, an unpacked panel, a row of floats. */
  readonly #panelPtr: number;

  /** Works in packerBytes at workPtr. */
  constructor(kernels: Kernels, memory: WebAssembly.Memory, workPtr: number) {
    this.#kernels = kernels;
    this.#memory = memory;
    this.#shape = new SlabShape(memory, workPtr);
    this.#scratchPtr = workPtr + 64;
    this.#panelPtr = this.#scratchPtr + PACK_SCRATCH_BYTES;
  }

  /** Packs the chunk at srcPtr; returns what checkPacked takes. */
  pack(chunk: Chunk, srcPtr: number): number {
    const { weight } = chunk;
    if (weight.tensors.length === 2) return this.#packSplit(chunk, srcPtr);
    if (weight.layout === "slab") return this.#packSlab(chunk, srcPtr);
    if (weight.layout === "vector") return this.#packVector(chunk, srcPtr);
    return this.#packPanels(chunk, srcPtr);
  }

  #packPanels({ weight, tensor, firstRow, rows }: Chunk, srcPtr: number): number {
    const { id } = TENSOR_TYPES[tensor.type];
    const toPtr = weight.ptr + packedBytes(weight.type, firstRow, weight.cols);
    if (isFloatType(weight.type)) {
      return this.#kernels.packFloats(toPtr, srcPtr, id, rows * weight.cols);
    }
    const padded = Math.ceil(rows / 8) * 8;
    return this.#kernels.packPanels(toPtr, srcPtr, id, padded, weight.cols, this.#scratchPtr);
  }

  #packSlab(chunk: Chunk, srcPtr: number): number {
    const { weight, tensor, firstRow, rows } = chunk;
    const { id } = TENSOR_TYPES[tensor.type];
    const { ptr, type, cols: neurons, rows: outputs } = weight;
    this.#shape.write({ neurons, outputs, first: 0, end: outputs });
    const shapePtr = this.#shape.ptr;
    if (isFloatType(type) && !isFloatType(PACKED_TYPE_OF[tensor.type])) {
      return this.#packFloats(chunk, srcPtr);
    }
    if (isFloatType(type)) {
      return this.#kernels.packFloatSlab(ptr, srcPtr, id, firstRow, rows, shapePtr);
    }
    return this.#kernels.packSlab(ptr, srcPtr, id, firstRow, rows, shapePtr, this.#scratchPtr);
  }

  /** Quantised rows as an F32 slab, which is transposed. */
  #packFloats(chunk: Chunk, srcPtr: number): number {
    const { ptr, rows: outputs, cols } = chunk.weight;
    const slab = new Float32Array(this.#memory.buffer, ptr, outputs * cols);
    let bad = 0;
    for (let r = 0; r < chunk.rows; r++) {
      const { row, status } = this.#dequantize(chunk.tensor, cols, srcPtr, r, chunk);
      bad |= status;
      for (let i = 0; i < cols; i++) slab[i * outputs + chunk.firstRow + r] = row[i];
    }
    return bad;
  }

  #packVector({ weight, tensor, firstRow, rows }: Chunk, srcPtr: number): number {
    const n = rows * fileShape(tensor).cols;
    const to = weight.ptr + firstRow * 4;
    const bad = this.#kernels.packFloats(this.#panelPtr, srcPtr, TENSOR_TYPES[tensor.type].id, n);
    this.#kernels.dequantizeRow(to, this.#panelPtr, PACKED_TYPES[tensor.type as "F32"].id, 0, n, 0);
    return bad;
  }

  /** k_b or v_b of a split kv_b as F32 rows of the joined one; k_b is transposed per head. */
  #packSplit(chunk: Chunk, srcPtr: number): number {
    const { weight, tensor } = chunk;
    const { cols } = fileShape(tensor);
    const [heads, inner] = tensor.shape;
    const isKeys = tensor === weight.tensors[0];
    const headRows = weight.rows / heads;
    const joined = new Float32Array(this.#memory.buffer, weight.ptr, weight.rows * weight.cols);
    let bad = 0;
    for (let r = 0; r < chunk.rows; r++) {
      const { row, status } = this.#dequantize(tensor, cols, srcPtr, r, chunk);
      bad |= status;
      const head = Math.floor((chunk.firstRow + r) / inner);
      const index = (chunk.firstRow + r) % inner;
      const first = head * headRows;
      if (!isKeys) joined.set(row, (first + headRows - inner + index) * weight.cols);
      else for (let i = 0; i < cols; i++) joined[(first + i) * weight.cols + index] = row[i];
    }
    return bad;
  }

  /** Row r of a staged chunk as floats; its panel is packed when r is the first of 8. */
  #dequantize(
    tensor: TensorInfo,
    cols: number,
    srcPtr: number,
    r: number,
    { rowBytes }: Chunk,
  ): { row: Float32Array; status: number } {
    const packed = PACKED_TYPE_OF[tensor.type];
    const { id } = TENSOR_TYPES[tensor.type];
    const unpackPtr = this.#panelPtr + packedBytes("F32", 8, cols);
    const rowPtr = unpackPtr + unpackedPanelBytes(cols);
    let status = 0;
    if (r % 8 === 0) {
      const from = srcPtr + r * rowBytes;
      status = isFloatType(packed)
        ? this.#kernels.packFloats(this.#panelPtr, from, id, 8 * cols)
        : this.#kernels.packPanels(this.#panelPtr, from, id, 8, cols, this.#scratchPtr);
    }
    const packedId = PACKED_TYPES[packed].id;
    this.#kernels.dequantizeRow(rowPtr, this.#panelPtr, packedId, r % 8, cols, unpackPtr);
    return { row: new Float32Array(this.#memory.buffer, rowPtr, cols), status };
  }
}
