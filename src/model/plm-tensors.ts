/** The tensors of a PLM's layer: multi-head latent attention and a squared-ReLU MLP. */
import type { PlmConfig } from "./config.js";
import { matrix, type TensorSpec, type TensorTable, vector } from "./tensor-table.js";

export const MLA_TENSORS = {
  inputLayernorm: (c: PlmConfig): TensorSpec =>
    vector("attn_norm", "input_layernorm", c.hiddenSize),
  qProj: (c: PlmConfig): TensorSpec => {
    const blockRows = c.qkNopeHeadDim + c.qkRopeHeadDim;
    const shape = [c.numAttentionHeads * blockRows, c.hiddenSize] as const;
    const rotary = { blockRows, dims: c.qkRopeHeadDim };
    return matrix("attn_q", "self_attn.q_proj", shape, { rotary });
  },
  kvAProjWithMqa: (c: PlmConfig): TensorSpec => {
    const blockRows = c.kvLoraRank + c.qkRopeHeadDim;
    const rotary = { blockRows, dims: c.qkRopeHeadDim };
    const shape = [blockRows, c.hiddenSize] as const;
    return matrix("attn_kv_a_mqa", "self_attn.kv_a_proj_with_mqa", shape, { rotary });
  },
  kvALayernorm: (c: PlmConfig): TensorSpec =>
    vector("attn_kv_a_norm", "self_attn.kv_a_layernorm", c.kvLoraRank),
  /** Some converters split it and transpose each head's keys. */
  kvBProj: (c: PlmConfig): TensorSpec => {
    const shape = [c.numAttentionHeads * (c.qkNopeHeadDim + c.vHeadDim), c.kvLoraRank] as const;
    return matrix("attn_kv_b", "self_attn.kv_b_proj", shape, {
      halves: [
        { name: "attn_k_b", shape: [c.numAttentionHeads, c.kvLoraRank, c.qkNopeHeadDim] },
        { name: "attn_v_b", shape: [c.numAttentionHeads, c.vHeadDim, c.kvLoraRank] },
      ],
    });
  },
  oProj: (c: PlmConfig): TensorSpec => {
    const shape = [c.hiddenSize, c.numAttentionHeads * c.vHeadDim] as const;
    return matrix("attn_output", "self_attn.o_proj", shape, { addsToResidual: true });
  },
};

export const RELU2_MLP_TENSORS = {
  postAttentionLayernorm: (c: PlmConfig): TensorSpec =>
    vector("ffn_norm", "post_attention_layernorm", c.hiddenSize),
  upProj: (c: PlmConfig): TensorSpec =>
    matrix("ffn_up", "mlp.up_proj", [c.intermediateSize, c.hiddenSize]),
  /** A slab: the weights of inputs that are zero are not read. */
  downProj: (c: PlmConfig): TensorSpec =>
    matrix("ffn_down", "mlp.down_proj", [c.hiddenSize, c.intermediateSize], {
      layout: "slab",
      addsToResidual: true,
    }),
};

/** The names, in camel case, of the modules of a layer. */
export type PlmTensor = keyof typeof MLA_TENSORS | keyof typeof RELU2_MLP_TENSORS;

export const PLM_TENSORS: TensorTable<PlmTensor> = { ...MLA_TENSORS, ...RELU2_MLP_TENSORS };
