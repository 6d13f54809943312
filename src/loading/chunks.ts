/** The pieces in which a model's tensors are read and packed. */
import type { TensorInfo } from "../format/tensors.js";
import { SLAB_ROWS } from "../kernels/packed.js";
import { tensorBytes, type Weight } from "../model/weights.js";

/**
 * The size in bytes that one read aims at: less for a small model, since memory that is touched for
 * the first time takes longer than the reads.
 */
const MOST_CHUNK_BYTES = 5 << 19;
const LEAST_CHUNK_BYTES = 1 << 18;
const CHUNKS = 32;

/** Rows of a tensor that are read and packed together. */
export interface Chunk {
  readonly weight: Weight;
  readonly tensor: TensorInfo;
  readonly firstRow: number;
  readonly rows: number;
  readonly rowBytes: number;
}

/** A tensor's rows and columns in the file: [heads, rows, cols] counts as heads * rows. */
export function fileShape(tensor: TensorInfo): { rows: number; cols: number } {
  const cols = tensor.shape[tensor.shape.length - 1];
  return { rows: tensor.shape.reduce((a, b) => a * b, 1) / cols, cols };
}

/** Rows of a weight that are packed together. */
export function rowUnit({ layout }: Weight): number {
  return layout === "slab" ? SLAB_ROWS : 8;
}

function* chunksOf(weight: Weight, tensor: TensorInfo, bytes: number): Generator<Chunk> {
  const { rows } = fileShape(tensor);
  const rowBytes = tensor.byteLength / rows;
  const unit = rowUnit(weight);
  const step = Math.max(1, Math.floor(bytes / rowBytes / unit)) * unit;
  for (let firstRow = 0; firstRow < rows; firstRow += step) {
    yield { weight, tensor, firstRow, rows: Math.min(step, rows - firstRow), rowBytes };
  }
}

/** Bytes of a chunk in staging, where panels are filled up to 8 rows. */
export function stagedBytes(chunk: Chunk): number {
  return Math.ceil((Math.ceil(chunk.rows / 8) * 8 * chunk.rowBytes) / 64) * 64;
}

/** All chunks in file order, so that a forward-only source will do. */
export function planChunks(weights: readonly Weight[]): Chunk[] {
  const total = tensorBytes(weights);
  const bytes = Math.max(LEAST_CHUNK_BYTES, Math.min(total / CHUNKS, MOST_CHUNK_BYTES));
  return chunksInOrder(weights, bytes);
}

/** The chunks of weights, of about `bytes` bytes, in the order of the file. */
export function chunksInOrder(weights: readonly Weight[], bytes: number): Chunk[] {
  const tensors: { weight: Weight; tensor: TensorInfo }[] = [];
  for (const weight of weights) {
    for (const tensor of weight.tensors) tensors.push({ weight, tensor });
  }
  tensors.sort((a, b) => a.tensor.file - b.tensor.file || a.tensor.offset - b.tensor.offset);
  return tensors.flatMap(({ weight, tensor }) => [...chunksOf(weight, tensor, bytes)]);
}

/** Bytes of a chunk in its file. */
export function chunkBytes({ rows, rowBytes }: Chunk): number {
  return rows * rowBytes;
}
