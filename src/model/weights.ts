/**
 * A PLM's weights: finds the table's tensors (plm-tensors.ts) in a file, checks their shapes and
 * plans their places in memory.
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
import { PLM_TENSORS, type PlmTensor } from "./plm-tensors.js";
import { Problems } from "./problems.js";
import {
  mapTable,
  type TensorSpec,
  tensorName,
  tensorsOf,
  type WeightLayout,
} from "./tensor-table.js";

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

/** kv_b, with a transposed copy of its keys for decoding. */
export interface KvBWeight extends Weight {
  /** The copy of its heads' keys (absorbed-keys.ts); 0 if they are floats. */
  readonly keysPtr: number;
}

/** One layer's weights, by their names in the checkpoint. */
export type LayerWeights = Readonly<Record<Exclude<PlmTensor, "kvBProj">, Weight>> & {
  readonly kvBProj: KvBWeight;
};

/** All weights of a model. `lmHead` is `embedTokens` if the file ties them. */
export interface PlmWeights {
  readonly embedTokens: Weight;
  readonly layers: readonly LayerWeights[];
  /** Layers that are streamed, in order: their weights lie in the same place, the window. */
  readonly streamed: readonly number[];
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

/** The most tensor names in one message. */
const MOST_LISTED = 20;

/** A packed slab's outputs are a multiple of this, a Q6K slab's of twice this. */
const SLAB_UNIT = 32;

/**
 * Binds every tensor of the file to a planned region; with fewer `residentLayers` than there are,
 * the weights of the others to one region, the window, in which they take turns. Throws
 * INVALID_FILE for tensors that are missing, contradict the config's shapes or belong to a layer
 * beyond its count, UNSUPPORTED_FILE for tensors that PLM lacks; one error names them all. No
 * tensor of a file is ignored.
 */
export function bindWeights(
  gguf: Gguf,
  config: PlmConfig,
  plan: MemoryPlan,
  residentLayers: number = config.numHiddenLayers,
): PlmWeights {
  const binder = new Binder(gguf);
  const tensors = tensorsOf(PLM_TENSORS, config);
  const embedTokens = binder.weight(tensors.embedTokens, plan);
  const isKept = keptLayers(config.numHiddenLayers, residentLayers);
  const streamed: number[] = [];
  const layers: LayerWeights[] = [];
  let windowBytes = 0;
  for (let i = 0; i < config.numHiddenLayers; i++) {
    if (binder.tooManyProblems) break;
    const place = isKept(i) ? plan : plan.detached();
    const weights = mapTable(tensors.layer, (spec) => binder.weight(spec, place, i));
    const keysName = `${tensorName(tensors.layer.kvBProj, i)}, keys`;
    const kvBProj = withKeys(weights.kvBProj, place, keysName, config);
    layers.push({ ...weights, kvBProj });
    if (place === plan) continue;
    streamed.push(i);
    windowBytes = Math.max(windowBytes, place.end);
  }
  const norm = binder.weight(tensors.norm, plan);
  const isTied = !gguf.tensors.has(tensorName(tensors.lmHead));
  const lmHead = isTied ? embedTokens : binder.weight(tensors.lmHead, plan);
  binder.finish(config);
  if (streamed.length > 0) {
    const windowPtr = plan.add("weights", "window of streamed layers", windowBytes);
    for (const i of streamed) layers[i] = movedBy(layers[i], windowPtr);
  }
  return { embedTokens, layers, streamed, norm, lmHead };
}

/**
 * Which layers have places of their own, if `resident` are in memory at a time, one of them in the
 * window. They lie evenly among the others: while they compute, the next one is read.
 */
function keptLayers(layers: number, resident: number): (layer: number) => boolean {
  if (resident >= layers) return () => true;
  const kept = new Set<number>();
  for (let i = 0; i < resident - 1; i++) {
    kept.add(Math.floor(((i + 0.5) * layers) / (resident - 1)));
  }
  return (layer) => kept.has(layer);
}

/** A layer's weights, `bytes` further on. */
function movedBy(layer: LayerWeights, bytes: number): LayerWeights {
  const { kvBProj } = layer;
  const moved = mapTable(layer, (weight: Weight) => ({ ...weight, ptr: weight.ptr + bytes }));
  const keysPtr = kvBProj.keysPtr === 0 ? 0 : kvBProj.keysPtr + bytes;
  return { ...moved, kvBProj: { ...moved.kvBProj, keysPtr } };
}

/** Every distinct weight of a model. */
export function* eachWeight(weights: PlmWeights): Generator<Weight> {
  yield weights.embedTokens;
  for (const layer of weights.layers) yield* weightsOf(layer);
  yield weights.norm;
  if (weights.lmHead !== weights.embedTokens) yield weights.lmHead;
}

/** Those of them that stay in memory. */
export function* eachResident(weights: PlmWeights): Generator<Weight> {
  const streamed = new Set(weights.streamed.flatMap((i) => weightsOf(weights.layers[i])));
  for (const weight of eachWeight(weights)) if (!streamed.has(weight)) yield weight;
}

/** The weights of a layer. */
export function weightsOf(layer: LayerWeights): Weight[] {
  return Object.values(layer);
}

class Binder {
  readonly #gguf: Gguf;
  readonly #problems = new Problems();
  readonly #bound = new Set<string>();

  constructor(gguf: Gguf) {
    this.#gguf = gguf;
  }

  /** A hostile layer count must not make an endless list of missing tensors. */
  get tooManyProblems(): boolean {
    return this.#problems.areTooMany;
  }

  /** Reports the tensors that were not bound, and throws if there are problems. */
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

  /** The tensor with the table's shape; in the file, leading dimensions of 1 may differ. */
  #tensor(name: string, shape: readonly number[]): TensorInfo | undefined {
    this.#bound.add(name);
    const tensor = this.#gguf.tensors.get(name);
    if (tensor === undefined) this.#problems.invalid(`${name}: expected [${shape}], got nothing`);
    else if (dimsOf(tensor.shape).join() !== dimsOf(shape).join()) {
      this.#problems.invalid(`${name}: expected [${shape}], got [${tensor.shape}]`);
    } else return { ...tensor, shape: [...shape] };
    return undefined;
  }

  /** A tensor's place in a plan; its halves', if the file has them instead. */
  weight(spec: TensorSpec, plan: MemoryPlan, layer?: number): Weight {
    const { layout, shape } = spec;
    const [rows, cols] = shape;
    const name = tensorName(spec, layer);
    const halves = spec.halves?.map((half) => ({ ...half, name: tensorName(half, layer) }));
    const isSplit = halves !== undefined && this.#isSplit(name, halves[0].name);
    const parts = isSplit ? halves : [{ name, shape: layout === "vector" ? [cols] : shape }];
    const found = parts.map((part) => this.#tensor(part.name, part.shape));
    const tensors = found.every((tensor) => tensor !== undefined) ? found : [];
    const type = isSplit ? "F32" : this.#typeOf(spec, tensors[0]);
    const ptr = plan.add("weights", name, packedBytes(type, rows, cols));
    return { type, layout, rows, cols, tensors, ptr };
  }

  #isSplit(name: string, firstHalf: string): boolean {
    return !this.#gguf.tensors.has(name) && this.#gguf.tensors.has(firstHalf);
  }

  /** A tensor's type in memory. */
  #typeOf({ layout, shape }: TensorSpec, tensor: TensorInfo | undefined): PackedTypeName {
    if (tensor === undefined) return "F32";
    const { name, type } = tensor;
    if (layout === "vector") {
      if (!["F32", "F16", "BF16"].includes(type)) {
        this.#problems.unsupported(`${name}: expected F32, F16 or BF16, got ${type}`);
      }
      return "F32";
    }
    const packed = PACKED_TYPE_OF[type];
    // A slab cannot hold half a unit of 6-bit values: such a matrix becomes floats.
    const isHalf = layout === "slab" && packed === "Q6K" && shape[0] % (2 * SLAB_UNIT) > 0;
    return isHalf ? "F32" : packed;
  }
}

/** kv_b, with a place in a plan for the transposed keys. */
function withKeys(kvB: Weight, plan: MemoryPlan, name: string, config: PlmConfig): KvBWeight {
  if (isFloatType(kvB.type)) return { ...kvB, keysPtr: 0 };
  const headBytes = absorbedBytes(kvB.type, config.qkNopeHeadDim, kvB.cols);
  const keysPtr = plan.add("weights", name, config.numAttentionHeads * headBytes);
  return { ...kvB, keysPtr };
}

/** A shape without its leading dimensions of 1, which GGUF writes last. */
function dimsOf(shape: readonly number[]): readonly number[] {
  const first = shape.findIndex((size) => size !== 1);
  return first < 0 ? [] : shape.slice(first);
}

/** Bytes of a weight in memory. */
export function weightBytes(weight: Weight): number {
  return packedBytes(weight.type, weight.rows, weight.cols);
}

/** Bytes of all tensors in their files. */
export function tensorBytes(weights: Iterable<Weight>): number {
  let total = 0;
  for (const { tensors } of weights) for (const { byteLength } of tensors) total += byteLength;
  return total;
}

/** Bytes of weights in memory. */
export function packedTotal(weights: Iterable<Weight>): number {
  let total = 0;
  for (const weight of weights) total += weightBytes(weight);
  return total;
}

/** Rows of a weight in memory: the stride of what its products write. */
export function outputStride(weight: Weight): number {
  return paddedRows(weight.type, weight.rows);
}

/** Bytes of a slab's values without its scales: zero neurons save their share of these. */
export function slabRunBytes({ type, rows, cols }: Weight): number {
  return rows * cols * PACKED_TYPES[type].valueBytes;
}
