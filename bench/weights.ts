/** PLM-1.8B's matrices in the pool, of any packed type, and the check of products with them. */
import * as assert from "uvu/assert";
import type { TensorType } from "../src/format/dtypes.js";
import { type PackedTypeName, packedBytes } from "../src/kernels/packed.js";
import { PACKED_TYPE_OF } from "../src/model/weights.js";
import {
  assertProduct,
  assertWithin,
  referenceMatmul,
} from "../test/kernels/support/linear-reference.js";
import {
  type Activations,
  isFloat,
  packPanels,
  packSlab,
} from "../test/kernels/support/packing.js";
import { randomTensor, type Tensor } from "../test/kernels/support/tensors.js";
import { seededRandom } from "../test/support/random.js";
import type { Home, Workspace } from "./workspace.js";

/** A matrix's name and shape, output-first. */
export interface Matrix {
  readonly name: string;
  readonly rows: number;
  readonly cols: number;
}

export const Q_PROJ: Matrix = { name: "q_proj", rows: 3072, cols: 2048 };
export const UP_PROJ: Matrix = { name: "up_proj", rows: 8192, cols: 2048 };
export const DOWN_PROJ: Matrix = { name: "down_proj", rows: 2048, cols: 8192 };

/** The file type that each packed type is made from here. */
export const SOURCE_TYPES: readonly TensorType[] = [
  ...(["Q8_0", "Q5_1", "Q4_0", "Q4_1", "Q4_K", "Q5_K", "Q6_K"] as const),
];

/** Distinct rows: a matrix repeats them, so that its reference is fast. */
const DISTINCT_ROWS = 248;

/** Copies of a matrix in the pool. */
export interface Placed {
  readonly addresses: readonly number[];
  readonly packed: PackedTypeName;
  /** Bytes of one copy. */
  readonly bytes: number;
  /** The first DISTINCT_ROWS rows. */
  readonly tensor: Tensor;
}

const tensors = new Map<string, Tensor>();

/** A random tensor of DISTINCT_ROWS rows, made once. */
export function distinctRows(type: TensorType, cols: number): Tensor {
  const key = `${type} ${cols}`;
  const tensor =
    tensors.get(key) ?? randomTensor({ type, rows: DISTINCT_ROWS, cols }, seededRandom(cols));
  tensors.set(key, tensor);
  return tensor;
}

/** `matrix` as panels (or float rows) in the pool. */
export function placePanels(
  workspace: Workspace,
  type: TensorType,
  { rows, cols }: Matrix,
  home: Home,
): Placed {
  const tensor = distinctRows(type, cols);
  const packed = PACKED_TYPE_OF[type];
  const { ptr } = packPanels(workspace.bench, tensor);
  const bytes = packedBytes(packed, rows, cols);
  const patternBytes = packedBytes(packed, DISTINCT_ROWS, cols);
  const addresses = workspace.place(ptr, patternBytes, bytes, home);
  return { addresses, packed, bytes, tensor };
}

/** `matrix` as a slab in the pool. */
export function placeSlab(workspace: Workspace, type: TensorType, matrix: Matrix): Placed {
  const tensor = distinctRows(type, matrix.cols);
  const packed = PACKED_TYPE_OF[type];
  const bytes = packedBytes(packed, matrix.rows, matrix.cols);
  const { ptr } = packSlab(workspace.bench, { ...tensor, ...repeatRows(tensor, matrix.rows) });
  return { addresses: workspace.place(ptr, bytes, bytes, "DRAM"), packed, bytes, tensor };
}

/** A tensor's bytes, with its rows repeated. */
export function repeatRows(tensor: Tensor, rows: number): { rows: number; bytes: Uint8Array } {
  const rowBytes = tensor.bytes.length / tensor.rows;
  const bytes = new Uint8Array(rows * rowBytes);
  for (let at = 0; at < bytes.length; at += tensor.bytes.length) {
    bytes.set(tensor.bytes.subarray(0, Math.min(tensor.bytes.length, bytes.length - at)), at);
  }
  return { rows, bytes };
}

/** The input of a product: x f32[n, cols], and for packed types its rounded form. */
export interface ProductInput {
  readonly x: Float32Array;
  readonly n: number;
  readonly activations?: Activations;
}

/**
 * Fails unless Y [n, rows] = X W^T: the first and last token's first DISTINCT_ROWS outputs against
 * f64, and all other outputs of all tokens against those that they repeat, bit for bit.
 */
export function checkProduct(y: Float32Array, tensor: Tensor, input: ProductInput): void {
  const { cols, type } = tensor;
  const { n, x, activations } = input;
  const rows = y.length / n;
  const span = tensor.rows;
  for (let i = 0; i < y.length; i++) {
    if (i % rows < span || y[i] === y[i - span]) continue;
    assert.unreachable(`output ${i}: expected ${y[i - span]} as output ${i - span}, got ${y[i]}`);
  }
  for (const t of n === 1 ? [0] : [0, n - 1]) {
    const actual = y.subarray(t * rows, t * rows + span);
    const row = x.subarray(t * cols, (t + 1) * cols);
    if (isFloat(type)) {
      const { y: expected, norm } = referenceMatmul(tensor.values, row, { n: 1, rows: span, cols });
      assertWithin(actual, expected, (i) => 1e-5 * norm[i], `${type} product`);
      continue;
    }
    const { ptr, values, scales } = activations!;
    const part = {
      ptr,
      values: values.subarray(t * cols, (t + 1) * cols),
      scales: scales.subarray(t * cols, (t + 1) * cols),
    };
    assertProduct(actual, { tensor, x: row, activations: part }, `${type} product`);
  }
}
