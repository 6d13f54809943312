/**
 * A model in training: an embedding, layers of two sublayers each, a last norm, and the embedding
 * again as the head. Architectures differ in the sublayers.
 */
import type { TensorTable } from "../../model/tensor-table.js";
import type { ActivationTables } from "../engine/buffers.js";
import { MLA } from "./attention.js";
import { RELU2_MLP } from "./mlp.js";
import type { Names, TrainingParts } from "./parts.js";
import type { MlpSublayer, SublayerKind, Sublayers } from "./sublayer.js";

/** The sublayers of every layer. */
export interface Architecture {
  readonly attention: SublayerKind;
  readonly mlp: SublayerKind<MlpSublayer>;
}

export const PLM: Architecture = { attention: MLA, mlp: RELU2_MLP };

/** The tensors of a layer. */
export function layerTensors({ attention, mlp }: Architecture): TensorTable {
  return { ...attention.tensors, ...mlp.tensors };
}

/** The buffers of its sublayers. */
export function activationTables({ attention, mlp }: Architecture): ActivationTables {
  return {
    kept: { ...attention.kept, ...mlp.kept },
    grads: { ...attention.grads, ...mlp.grads },
  };
}

/** A thread's sublayers; `parts` are made from the tables above. */
export function createSublayers(
  { attention, mlp }: Architecture,
  parts: TrainingParts<Names>,
): Sublayers {
  return { attention: attention.create(parts), mlp: mlp.create(parts) };
}
