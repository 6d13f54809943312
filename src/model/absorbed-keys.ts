/**
 * A second copy of kv_b's keys, transposed: decoding multiplies them by its queries, and that
 * product is as fast as the others only if outputs lie together.
 */
import { absorbedBytes, isFloatType, PACKED_TYPES, packedBytes } from "../kernels/packed.js";
import type { PlmConfig } from "./config.js";
import type { ThreadParts } from "./parts.js";
import type { KvBWeight, LayerWeights } from "./weights.js";

/** Address of a head's rows of kv_b: its keys, then its values. */
export function headPtr({ ptr, type, cols }: KvBWeight, config: PlmConfig, head: number): number {
  return ptr + packedBytes(type, head * (config.qkNopeHeadDim + config.vHeadDim), cols);
}

/** Address of a head's absorbed keys; not for float types. */
export function absorbedKeysPtr(kvB: KvBWeight, config: PlmConfig, head: number): number {
  return kvB.keysPtr + head * absorbedBytes(kvB.type, config.qkNopeHeadDim, kvB.cols);
}

/** Packs a thread's share of the absorbed keys of all layers from kv_b's panels. */
export function packAbsorbedKeys(parts: ThreadParts, layers: readonly LayerWeights[]): void {
  const { config, kernels, member, buffers } = parts;
  const { numAttentionHeads: heads, qkNopeHeadDim } = config;
  const [first, end] = member.share(layers.length * heads);
  for (let i = first; i < end; i++) {
    const { kvBProj } = layers[Math.floor(i / heads)];
    if (isFloatType(kvBProj.type)) continue;
    const to = absorbedKeysPtr(kvBProj, config, i % heads);
    const from = headPtr(kvBProj, config, i % heads);
    const { id } = PACKED_TYPES[kvBProj.type];
    kernels.packAbsorbed(to, from, id, qkNopeHeadDim, kvBProj.cols, buffers.scratch);
  }
}
