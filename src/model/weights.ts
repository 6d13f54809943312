/**
 * The weights of a PLM: checkpoint name -> shape -> place in memory. The one table of tensor names;
 * every shape is checked where it is bound.
 */
import { listOf } from "../describe.js";
import { quote } from "../errors.js";
import type { TensorType } from "../format/dtypes.js";
import type { Gguf } from "../format/gguf.js";
import type { TensorInfo } from "../format/tensors.js";
import type { MemoryPlan } from "../kernels/arena.js";
import {
  absorbedBytes,
  isFloatType,
  PACKED_TYPES,
  type PackedTypeName,
  packedBytes,
  paddedRows,
} from "../kernels/packed.js";
import type { PlmConfig } from "./config.js";
import { Problems } from "./problems.js";

/**
 * How a weight lies in memory: `vector` f32[cols], `panels` for y = W x, `slab` transposed and
 * sparse.
 */
export type WeightLayout = "vector" | "panels" | "slab";

/** A weight's place in memory. Its shape is output-first: [rows, cols] = [out, in]. */
export interface Weight {
  readonly ptr: number;
  readonly type: PackedTypeName;
  readonly layout: WeightLayout;
  readonly rows: number;
  readonly cols: number;
  /** The tensors it is made of: one, or k_b and v_b of a split kv_b. */
  readonly tensors: readonly TensorInfo[];
}

/** kv_b, whose keys decoding multiplies transposed. */
export interface KvBWeight extends Weight {
  /** Its heads' keys a second time (absorbed-keys.ts); 0 where they are floats. */
  readonly keysPtr: number;
}

/** One layer's weights, by their names in the checkpoint. */
export interface LayerWeights {
  readonly inputLayernorm: Weight;
  readonly qProj: Weight;
  readonly kvAProjWithMqa: Weight;
  readonly kvALayernorm: Weight;
  readonly kvBProj: KvBWeight;
  readonly oProj: Weight;
  readonly postAttentionLayernorm: Weight;
  readonly upProj: Weight;
  readonly downProj: Weight;
}

/** All weights of a model. `lmHead` is `embedTokens` where the file ties them. */
export interface PlmWeights {
  readonly embedTokens: Weight;
  readonly layers: readonly LayerWeights[];
  readonly norm: Weight;
  readonly lmHead: Weight;
}

/** The packed type that holds a GGUF tensor type without loss. */
export const PACKED_TYPE_OF: Readonly<Record<TensorType, PackedTypeName>> = {
  F32: "F32",
  F16: "F16",
  BF16: "BF16",
  Q8_0: "Q8",
  Q5_0: "Q8",
  Q5_1: "Q8M",
  Q4_0: "Q4",
  Q4_1: "Q4M",
  Q4_K: "Q4K",
  Q2_K: "Q8K",
  Q3_K: "Q8K",
  Q5_K: "Q8K",
  Q6_K: "Q6K",
};

/** The most names of tensors that one complaint has. */
const MOST_LISTED = 20;

/** Outputs that a packed slab has a multiple of; a Q6K one has two in each. */
const SLAB_UNIT = 32;

/**
 * Binds every tensor of the file to a planned region. Throws INVALID_FILE with all tensors that are
 * missing, of another shape than the config says or of a layer beyond its count, UNSUPPORTED_FILE
 * with those that PLM does not have: nothing that a file says is left out of the computation.
 */
export function bindWeights(gguf: Gguf, config: PlmConfig, plan: MemoryPlan): PlmWeights {
  const binder = new Binder(gguf, plan);
  const { hiddenSize, intermediateSize, numAttentionHeads, kvLoraRank, vocabSize } = config;
  const qkHeadDim = config.qkNopeHeadDim + config.qkRopeHeadDim;
  const vDim = numAttentionHeads * config.vHeadDim;
  const embedTokens = binder.matrix("token_embd.weight", vocabSize, hiddenSize);
  const layers: LayerWeights[] = [];
  for (let i = 0; i < config.numHiddenLayers; i++) {
    const blk = `blk.${i}`;
    if (binder.tooManyProblems) break;
    layers.push({
      inputLayernorm: binder.vector(`${blk}.attn_norm.weight`, hiddenSize),
      qProj: binder.matrix(`${blk}.attn_q.weight`, numAttentionHeads * qkHeadDim, hiddenSize),
      kvAProjWithMqa: binder.matrix(
        `${blk}.attn_kv_a_mqa.weight`,
        kvLoraRank + config.qkRopeHeadDim,
        hiddenSize,
      ),
      kvALayernorm: binder.vector(`${blk}.attn_kv_a_norm.weight`, kvLoraRank),
      kvBProj: binder.kvB(blk, config),
      oProj: binder.matrix(`${blk}.attn_output.weight`, hiddenSize, vDim),
      postAttentionLayernorm: binder.vector(`${blk}.ffn_norm.weight`, hiddenSize),
      upProj: binder.matrix(`${blk}.ffn_up.weight`, intermediateSize, hiddenSize),
      downProj: binder.matrix(`${blk}.ffn_down.weight`, hiddenSize, intermediateSize, "slab"),
    });
  }
  const norm = binder.vector("output_norm.weight", hiddenSize);
  const lmHead = gguf.tensors.has("output.weight")
    ? binder.matrix("output.weight", vocabSize, hiddenSize)
    : embedTokens;
  binder.finish(config);
  return { embedTokens, layers, norm, lmHead };
}

/** Every distinct weight of a model. */
export function* eachWeight(weights: PlmWeights): Generator<Weight> {
  yield weights.embedTokens;
  for (const layer of weights.layers) yield* Object.values(layer) as Weight[];
  yield weights.norm;
  if (weights.lmHead !== weights.embedTokens) yield weights.lmHead;
}

class Binder {
  readonly #gguf: Gguf;
  readonly #plan: MemoryPlan;
  readonly #problems = new Problems();
  readonly #bound = new Set<string>();

  constructor(gguf: Gguf, plan: MemoryPlan) {
    this.#gguf = gguf;
    this.#plan = plan;
  }

  /** A hostile layer count must not make an endless list of missing tensors. */
  get tooManyProblems(): boolean {
    return this.#problems.areTooMany;
  }

  /** Complains of what is left in the file, and throws all complaints. */
  finish({ numHiddenLayers }: PlmConfig): void {
    const beyond: string[] = [];
    const foreign: string[] = [];
    for (const name of this.#gguf.tensors.keys()) {
      if (this.#bound.has(name)) continue;
      const layer = Number(/^blk\.(\d+)\./.exec(name)?.[1] ?? -1);
      (layer < numHiddenLayers ? foreign : beyond).push(name);
    }
    if (beyond.length > 0) {
      const expected = `expected ${numHiddenLayers} layers (plm.block_count)`;
      this.#problems.invalid(`${listOf(beyond.map(quote), MOST_LISTED)}: ${expected}`);
    }
    if (foreign.length > 0) {
      const names = listOf(foreign.map(quote), MOST_LISTED);
      this.#problems.unsupported(`${names}: expected no such tensors in a PLM`);
    }
    this.#problems.throwAny("weights");
  }

  /** The tensor with its shape as expected, whatever leading dimensions of 1 the file has. */
  #tensor(name: string, shape: readonly number[]): TensorInfo | undefined {
    this.#bound.add(name);
    const tensor = this.#gguf.tensors.get(name);
    if (tensor === undefined) this.#problems.invalid(`${name}: expected [${shape}], got nothing`);
    else if (dimsOf(tensor.shape).join() !== dimsOf(shape).join()) {
      this.#problems.invalid(`${name}: expected [${shape}], got [${tensor.shape}]`);
    } else return { ...tensor, shape: [...shape] };
    return undefined;
  }

  #place(name: string, weight: Omit<Weight, "ptr">): Weight {
    const bytes = packedBytes(weight.type, weight.rows, weight.cols);
    return { ...weight, ptr: this.#plan.add("weights", name, bytes) };
  }

  vector(name: string, cols: number): Weight {
    const tensor = this.#tensor(name, [cols]);
    if (tensor !== undefined && !["F32", "F16", "BF16"].includes(tensor.type)) {
      this.#problems.unsupported(`${name}: expected F32, F16 or BF16, got ${tensor.type}`);
    }
    const tensors = tensor === undefined ? [] : [tensor];
    return this.#place(name, { type: "F32", layout: "vector", rows: 1, cols, tensors });
  }

  matrix(name: string, rows: number, cols: number, layout: WeightLayout = "panels"): Weight {
    const tensor = this.#tensor(name, [rows, cols]);
    let type = tensor === undefined ? "F32" : PACKED_TYPE_OF[tensor.type];
    // Half a unit of 6-bit values has no place in a slab: such a matrix is held as floats.
    if (layout === "slab" && type === "Q6K" && rows % (2 * SLAB_UNIT) > 0) type = "F32";
    const tensors = tensor === undefined ? [] : [tensor];
    return this.#place(name, { type, layout, rows, cols, tensors });
  }

  /** kv_b as one tensor or, as some converters split it, k_b (transposed per head) and v_b. */
  kvB(blk: string, config: PlmConfig): KvBWeight {
    const kvB = this.#kvBPanels(blk, config);
    if (isFloatType(kvB.type)) return { ...kvB, keysPtr: 0 };
    const headBytes = absorbedBytes(kvB.type, config.qkNopeHeadDim, kvB.cols);
    const name = `${blk}.attn_kv_b.weight, keys`;
    const keysPtr = this.#plan.add("weights", name, config.numAttentionHeads * headBytes);
    return { ...kvB, keysPtr };
  }

  #kvBPanels(blk: string, config: PlmConfig): Weight {
    const { numAttentionHeads, qkNopeHeadDim, vHeadDim, kvLoraRank } = config;
    const rows = numAttentionHeads * (qkNopeHeadDim + vHeadDim);
    const joined = `${blk}.attn_kv_b.weight`;
    if (this.#gguf.tensors.has(joined) || !this.#gguf.tensors.has(`${blk}.attn_k_b.weight`)) {
      return this.matrix(joined, rows, kvLoraRank);
    }
    const keys = this.#tensor(`${blk}.attn_k_b.weight`, [
      numAttentionHeads,
      kvLoraRank,
      qkNopeHeadDim,
    ]);
    const values = this.#tensor(`${blk}.attn_v_b.weight`, [
      numAttentionHeads,
      vHeadDim,
      kvLoraRank,
    ]);
    const tensors = keys === undefined || values === undefined ? [] : [keys, values];
    return this.#place(joined, { type: "F32", layout: "panels", rows, cols: kvLoraRank, tensors });
  }
}

/** A shape without its leading dimensions of 1: GGUF's trailing ones, which say nothing. */
function dimsOf(shape: readonly number[]): readonly number[] {
  const first = shape.findIndex((size) => size !== 1);
  return first < 0 ? [] : shape.slice(first);
}

/** Bytes of a weight in memory. */
export function weightBytes(weight: Weight): number {
  return packedBytes(weight.type, weight.rows, weight.cols);
}

/** Rows of a weight in memory: the stride of what its products write. */
export function outputStride(weight: Weight): number {
  return paddedRows(weight.type, weight.rows);
}

/** Bytes of a slab's values, without its scales: what zero neurons save a share of. */
export function slabRunBytes({ type, rows, cols }: Weight): number {
  return rows * cols * PACKED_TYPES[type].valueBytes;
}
