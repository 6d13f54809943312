/**
 * PLM's forward pass in f64, straight from a GGUF file: keys and values expanded, every product
 * dense. Slow and obvious: the oracle for the engine.
 */
import { type Gguf, openGguf } from "../../../src/format/gguf.js";
import { type ModelSource, openSources } from "../../../src/sources/source.js";
import { dequantize } from "../../format/support/dequantize.js";
import { referenceRmsnorm, referenceRope, referenceSoftmax } from "../../support/reference.js";

type Vector = ArrayLike<number>;

/** A matrix [rows, cols] as its rows. */
type Matrix = Vector[];

/** The dims and every tensor's values. */
export interface ReferenceModel {
  dim: (key: string) => number;
  tensors: Map<string, { shape: number[]; values: Float32Array }>;
}

/** Replaces a product's input x; `name` is its tensor's, such as "blk.0.attn_q". */
export type ReplaceInput = (name: string, x: Vector) => Vector;

/** Logits [tokens, vocabSize] of a file, as the definition has them. */
export async function referenceLogits(
  source: ModelSource,
  tokens: readonly number[],
): Promise<Float64Array[]> {
  return referenceForward(await readReferenceModel(source), tokens);
}

/** All of a file's values. */
export async function readReferenceModel(source: ModelSource): Promise<ReferenceModel> {
  const sources = await openSources(source);
  try {
    return await readModel(await openGguf(sources));
  } finally {
    for (const each of sources) await each.close();
  }
}

async function readModel(gguf: Gguf): Promise<ReferenceModel> {
  const tensors: ReferenceModel["tensors"] = new Map();
  for (const { name, type, shape, offset, byteLength, file } of gguf.tensors.values()) {
    const bytes = new Uint8Array(byteLength);
    await gguf.sources[file].read(offset, bytes);
    tensors.set(name, { shape, values: dequantize(type, bytes) });
  }
  return { dim: (key) => gguf.metadata.get(`plm.${key}`) as number, tensors };
}

function vector({ tensors }: ReferenceModel, name: string): Vector {
  return tensors.get(name)!.values;
}

function matrix({ tensors }: ReferenceModel, name: string): Matrix {
  const { shape, values } = tensors.get(name)!;
  const cols = shape[shape.length - 1];
  return Array.from({ length: values.length / cols }, (_, row) =>
    values.subarray(row * cols, (row + 1) * cols),
  );
}

/** W x */
function multiply(weight: Matrix, x: Vector): Float64Array {
  // One type of operand, whatever the caller has: twice as fast.
  const operand = Float64Array.from(x);
  const y = new Float64Array(weight.length);
  for (let row = 0; row < weight.length; row++) {
    const values = weight[row];
    let sum = 0;
    for (let i = 0; i < operand.length; i++) sum += values[i] * operand[i];
    y[row] = sum;
  }
  return y;
}

function add(x: Float64Array, y: Vector): void {
  for (let i = 0; i < x.length; i++) x[i] += y[i];
}

function dot(a: Vector, b: Vector): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** kv_b's rows, [heads, nope | v]; where it is split, k_b is transposed back. */
function kvB(model: ReferenceModel, blk: string): Matrix {
  if (model.tensors.has(`${blk}.attn_kv_b.weight`)) return matrix(model, `${blk}.attn_kv_b.weight`);
  const [heads, latentDim, nopeDim] = model.tensors.get(`${blk}.attn_k_b.weight`)!.shape;
  const keys = matrix(model, `${blk}.attn_k_b.weight`);
  const values = matrix(model, `${blk}.attn_v_b.weight`);
  const valueDim = values.length / heads;
  return Array.from({ length: heads }, (_, h) => [
    ...Array.from({ length: nopeDim }, (_, i) =>
      Float32Array.from({ length: latentDim }, (_, c) => keys[h * latentDim + c][i]),
    ),
    ...values.slice(h * valueDim, (h + 1) * valueDim),
  ]).flat();
}

/** cos and sin of position * base^(-2i / dims), in pairs */
function ropeTable(dims: number, base: number, position: number): number[] {
  return Array.from({ length: dims / 2 }, (_, i) => position * base ** ((-2 * i) / dims)).flatMap(
    (angle) => [Math.cos(angle), Math.sin(angle)],
  );
}

/** Logits [tokens, vocabSize], optionally with products' inputs replaced. */
export function referenceForward(
  model: ReferenceModel,
  tokens: ArrayLike<number>,
  input: ReplaceInput = (_, x) => x,
): Float64Array[] {
  const eps = model.dim("attention.layer_norm_rms_epsilon");
  const norm = (rows: Vector[], name: string): number[][] =>
    rows.map((row) => referenceRmsnorm(row, vector(model, name), eps));
  const embedding = matrix(model, "token_embd.weight");
  const x = Array.from(tokens, (token) => Float64Array.from(embedding[token] as Float32Array));
  for (let layer = 0; layer < model.dim("block_count"); layer++) {
    const blk = `blk.${layer}`;
    const attended = attend(model, blk, norm(x, `${blk}.attn_norm.weight`), eps, input);
    x.forEach((row, t) => {
      add(row, attended[t]);
    });
    const up = matrix(model, `${blk}.ffn_up.weight`);
    const down = matrix(model, `${blk}.ffn_down.weight`);
    norm(x, `${blk}.ffn_norm.weight`).forEach((row, t) => {
      const active = multiply(up, input(`${blk}.ffn_up`, row)).map(
        (value) => Math.max(value, 0) ** 2,
      );
      add(x[t], multiply(down, input(`${blk}.ffn_down`, active)));
    });
  }
  const hasHead = model.tensors.has("output.weight");
  const head = hasHead ? matrix(model, "output.weight") : embedding;
  return norm(x, "output_norm.weight").map((row) => multiply(head, input("output", row)));
}

/** Attention's output for each token. */
function attend(
  model: ReferenceModel,
  blk: string,
  x: Vector[],
  eps: number,
  input: ReplaceInput,
): Float64Array[] {
  const heads = model.dim("attention.head_count");
  const latentDim = model.dim("attention.kv_lora_rank");
  const ropeDim = model.dim("rope.dimension_count");
  const qkDim = model.dim("attention.key_length");
  const valueDim = model.dim("attention.value_length");
  const nopeDim = qkDim - ropeDim;
  const base = model.dim("rope.freq_base");
  const [qProj, kvA] = ["attn_q", "attn_kv_a_mqa"].map((name) =>
    matrix(model, `${blk}.${name}.weight`),
  );
  const kvProj = kvB(model, blk);
  const rotated = x.map((row, position) => {
    const table = ropeTable(ropeDim, base, position);
    const compressed = multiply(kvA, input(`${blk}.attn_kv_a_mqa`, row));
    const latent = compressed.subarray(0, latentDim);
    const normed = referenceRmsnorm(latent, vector(model, `${blk}.attn_kv_a_norm.weight`), eps);
    const kPe = referenceRope(compressed.subarray(latentDim), table);
    const kv = multiply(kvProj, input(`${blk}.attn_kv_b`, normed));
    return { q: multiply(qProj, input(`${blk}.attn_q`, row)), table, kv, kPe };
  });
  return rotated.map(({ q, table }, position) => {
    const seen = rotated.slice(0, position + 1);
    const out = new Float64Array(heads * valueDim);
    for (let h = 0; h < heads; h++) {
      const query = q.subarray(h * qkDim, (h + 1) * qkDim);
      const qPe = referenceRope(query.subarray(nopeDim), table);
      const keyAt = h * (nopeDim + valueDim);
      const scores = seen.map(({ kv, kPe }) => {
        const qk = dot(query.subarray(0, nopeDim), kv.subarray(keyAt, keyAt + nopeDim));
        return (qk + dot(qPe, kPe)) / Math.sqrt(qkDim);
      });
      referenceSoftmax(scores).forEach((weight, t) => {
        const { kv } = seen[t];
        for (let d = 0; d < valueDim; d++) {
          out[h * valueDim + d] += weight * kv[keyAt + nopeDim + d];
        }
      });
    }
    return multiply(matrix(model, `${blk}.attn_output.weight`), input(`${blk}.attn_output`, out));
  });
}
