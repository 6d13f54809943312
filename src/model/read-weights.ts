/** Streams tensors from their files straight into their places, re-packing on the way. */
import { PlmError } from "../errors.js";
import { TENSOR_TYPES } from "../format/dtypes.js";
import type { Gguf, TensorInfo } from "../format/gguf.js";
import type { Kernels } from "../kernels/kernels.js";
import {
  isFloatType,
  PACK_SCRATCH_BYTES,
  PACKED_TYPES,
  packedBytes,
  SLAB_ROWS,
  unpackedPanelBytes,
} from "../kernels/packed.js";
import { eachWeight, PACKED_TYPE_OF, type PlmWeights, type Weight } from "./weights.js";

/** How far loading is. */
export interface LoadProgress {
  /** Bytes of tensors that are in place. */
  readonly loadedBytes: number;
  /** Bytes of all tensors. */
  readonly totalBytes: number;
}

/** What the pack kernels report, as bits. */
const NOT_FINITE = 1;
const TOO_LARGE = 2;

/** Bytes that one read aims at. */
const CHUNK_BYTES = 4 << 20;

/** Some rows of a tensor, read and packed together. */
interface Chunk {
  readonly weight: Weight;
  readonly tensor: TensorInfo;
  readonly firstRow: number;
  readonly rows: number;
  readonly rowBytes: number;
}

/** A tensor's rows and columns in the file: [heads, rows, cols] counts as heads * rows. */
function fileShape(tensor: TensorInfo): { rows: number; cols: number } {
  const cols = tensor.shape[tensor.shape.length - 1];
  return { rows: tensor.shape.reduce((a, b) => a * b, 1) / cols, cols };
}

function* chunksOf(weight: Weight, tensor: TensorInfo): Generator<Chunk> {
  const { rows } = fileShape(tensor);
  const rowBytes = tensor.byteLength / rows;
  const many = Math.max(8, Math.floor(CHUNK_BYTES / rowBytes / 8) * 8);
  const step = weight.layout === "slab" ? SLAB_ROWS : many;
  for (let firstRow = 0; firstRow < rows; firstRow += step) {
    yield { weight, tensor, firstRow, rows: Math.min(step, rows - firstRow), rowBytes };
  }
}

/** Bytes of a chunk in staging, where panels are filled up to 8 rows. */
function stagedBytes(chunk: Chunk): number {
  return Math.ceil((Math.ceil(chunk.rows / 8) * 8 * chunk.rowBytes) / 64) * 64;
}

/** All chunks in file order, so that a source that only goes forward will do. */
function planChunks(weights: PlmWeights): Chunk[] {
  const tensors: { weight: Weight; tensor: TensorInfo }[] = [];
  for (const weight of eachWeight(weights)) {
    for (const tensor of weight.tensors) tensors.push({ weight, tensor });
  }
  tensors.sort((a, b) => a.tensor.file - b.tensor.file || a.tensor.offset - b.tensor.offset);
  return tensors.flatMap(({ weight, tensor }) => [...chunksOf(weight, tensor)]);
}

/** Bytes of scratch beside the two staged chunks: packing, and one panel in every form. */
function workBytes(weights: PlmWeights): number {
  let cols = 0;
  for (const weight of eachWeight(weights)) {
    for (const tensor of weight.tensors) cols = Math.max(cols, fileShape(tensor).cols);
  }
  return (
    64 + PACK_SCRATCH_BYTES + packedBytes("F32", 8, cols) + unpackedPanelBytes(cols) + cols * 4
  );
}

/** Bytes of scratch that readWeights needs. */
export function readScratchBytes(weights: PlmWeights): number {
  let staged = 0;
  for (const chunk of planChunks(weights)) staged = Math.max(staged, stagedBytes(chunk));
  return 2 * staged + workBytes(weights);
}

/** Where and with what readWeights works. */
export interface ReadTarget {
  readonly kernels: Kernels;
  readonly memory: WebAssembly.Memory;
  readonly scratchPtr: number;
}

/**
 * Reads every tensor into its place. The next chunk is read while one is packed. Throws
 * INVALID_FILE for a file that ends early or holds a weight that is not finite; an abort rejects
 * with its reason.
 */
export async function readWeights(
  gguf: Gguf,
  weights: PlmWeights,
  target: ReadTarget,
  { signal, onProgress }: { signal?: AbortSignal; onProgress?: (progress: LoadProgress) => void },
): Promise<void> {
  const chunks = planChunks(weights);
  const totalBytes = chunks.reduce((total, { rows, rowBytes }) => total + rows * rowBytes, 0);
  const half = chunks.reduce((bytes, chunk) => Math.max(bytes, stagedBytes(chunk)), 0);
  const packer = new Packer(target, target.scratchPtr + 2 * half);
  const staging = (i: number): number => target.scratchPtr + (i % 2) * half;
  const start = (i: number): Promise<void> =>
    stage(gguf, chunks[i], staging(i), target.memory, signal);
  let loadedBytes = 0;
  let pending = start(0);
  for (let i = 0; i < chunks.length; i++) {
    await pending;
    signal?.throwIfAborted();
    if (i + 1 < chunks.length) pending = start(i + 1);
    try {
      packer.pack(chunks[i], staging(i));
      loadedBytes += chunks[i].rows * chunks[i].rowBytes;
      onProgress?.({ loadedBytes, totalBytes });
    } catch (error) {
      await pending.catch(() => undefined);
      throw error;
    }
  }
}

async function stage(
  gguf: Gguf,
  chunk: Chunk,
  ptr: number,
  memory: WebAssembly.Memory,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { tensor, firstRow, rows, rowBytes } = chunk;
  const bytes = rows * rowBytes;
  const source = gguf.sources[tensor.file];
  const staged = new Uint8Array(memory.buffer, ptr, stagedBytes(chunk));
  const offset = tensor.offset + firstRow * rowBytes;
  const read = await source.read(offset, staged.subarray(0, bytes), signal);
  if (read < bytes) {
    throw new PlmError(
      "INVALID_FILE",
      `${source.name}: ${tensor.name} expected ${bytes} bytes at ${offset}, got ${read}`,
    );
  }
  staged.fill(0, bytes);
}

/** Packs staged chunks. */
class Packer {
  readonly #kernels: Kernels;
  readonly #memory: WebAssembly.Memory;
  readonly #shapePtr: number;
  readonly #scratchPtr: number;
  /** After the pack scratch: 8 packed rows, an unpacked panel, a row of floats. */
  readonly #panelPtr: number;

  constructor({ kernels, memory }: ReadTarget, workPtr: number) {
    this.#kernels = kernels;
    this.#memory = memory;
    this.#shapePtr = workPtr;
    this.#scratchPtr = workPtr + 64;
    this.#panelPtr = this.#scratchPtr + PACK_SCRATCH_BYTES;
  }

  pack(chunk: Chunk, srcPtr: number): void {
    const { weight, tensor } = chunk;
    let bad: number;
    if (weight.tensors.length === 2) bad = this.#packSplit(chunk, srcPtr);
    else if (weight.layout === "slab") bad = this.#packSlab(chunk, srcPtr);
    else if (weight.layout === "vector") bad = this.#packVector(chunk, srcPtr);
    else bad = this.#packPanels(chunk, srcPtr);
    const rows = `rows ${chunk.firstRow} to ${chunk.firstRow + chunk.rows - 1}`;
    if ((bad & NOT_FINITE) !== 0) {
      throw new PlmError(
        "INVALID_FILE",
        `${tensor.name}: expected finite weights, got NaN or infinity in ${rows}`,
      );
    }
    if ((bad & TOO_LARGE) !== 0) {
      throw new PlmError(
        "UNSUPPORTED_FILE",
        `${tensor.name}: expected block scales below 128, got a larger one in ${rows}`,
      );
    }
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

  #packSlab({ weight, tensor, firstRow, rows }: Chunk, srcPtr: number): number {
    const { id } = TENSOR_TYPES[tensor.type];
    new Int32Array(this.#memory.buffer, this.#shapePtr, 2).set([weight.cols, weight.rows]);
    const { ptr, type } = weight;
    const shapePtr = this.#shapePtr;
    if (isFloatType(type)) {
      return this.#kernels.packFloatSlab(ptr, srcPtr, id, firstRow, rows, shapePtr);
    }
    return this.#kernels.packSlab(ptr, srcPtr, id, firstRow, rows, shapePtr, this.#scratchPtr);
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
