/** The tensors of a PLM's layer: multi-head latent attention and a squared-ReLU MLP. */
import type { PlmConfig } from "./config.js";
import { matrix, type TensorSpec, type TensorTable, vector } from "./tensor-table.js";

export const MLA_TENSORS = {
  inputLayernorm: (c: PlmConfig): TensorSpec => vector("attn_norm", c.hiddenSize),
  qProj: (c: PlmConfig): TensorSpec =>
    matrix("attn_q", [c.numAttentionHeads * (c.qkNopeHeadDim + c.qkRopeHeadDim), c.hiddenSize]),
  kvAProjWithMqa: (c: PlmConfig): TensorSpec =>
    matrix("attn_kv_a_mqa", [c.kvLoraRank + c.qkRopeHeadDim, c.hiddenSize]),
  kvALayernorm: (c: PlmConfig): TensorSpec => vector("attn_kv_a_norm", c.kvLoraRank),
  /** Some converters split it and transpose each head's keys. */
  kvBProj: (c: PlmConfig): TensorSpec =>
    matrix("attn_kv_b", [c.numAttentionHeads * (c.qkNopeHeadDim + c.vHeadDim), c.kvLoraRank], {
      halves: [
        { name: "attn_k_b", shape: [c.numAttentionHeads, c.kvLoraRank, c.qkNopeHeadDim] },
        { name: "attn_v_b", shape: [c.numAttentionHeads, c.vHeadDim, c.kvLoraRank] },
      ],
    }),
  oProj: (c: PlmConfig): TensorSpec =>
    matrix("attn_output", [c.hiddenSize, c.numAttentionHeads * c.vHeadDim], {
      addsToResidual: true,
    }),
};

export const RELU2_MLP_TENSORS = {
  postAttentionLayernorm: (c: PlmConfig): TensorSpec => vector("ffn_norm", c.hiddenSize),
  upProj: (c: PlmConfig): TensorSpec => matrix("ffn_up", [c.intermediateSize, c.hiddenSize]),
  /** A slab: the weights of inputs that are zero are not read. */
  downProj: (c: PlmConfig): TensorSpec =>
    matrix("ffn_down", [c.hiddenSize, c.intermediateSize], {
      layout: "slab",
      addsToResidual: true,
    }),
};

/** The names in checkpoints of the tensors of a layer. */
export type PlmTensor = keyof typeof MLA_TENSORS | keyof typeof RELU2_MLP_TENSORS;

export const PLM_TENSORS: TensorTable<PlmTensor> = { ...MLA_TENSORS, ...RELU2_MLP_TENSORS };
