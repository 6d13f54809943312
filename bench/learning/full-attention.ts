/**
 * Attention without MLA's latent: each head's keys and values are made from the hidden state. As in
 * MLA, all heads share the rotated part of the key.
 */
import { matrix, vector } from "../../src/model/tensor-table.js";
import {
  HEADS_GRADS,
  HEADS_KEPT,
  Heads,
  type HeadsNames,
} from "../../src/training/network/heads.js";
import { Norms } from "../../src/training/network/norms.js";
import type { TrainingParts } from "../../src/training/network/parts.js";
import { Products } from "../../src/training/network/products.js";
import type { Sublayer, SublayerKind } from "../../src/training/network/sublayer.js";

interface FullAttentionNames {
  readonly tensor: "inputLayernorm" | "qProj" | "kPeProj" | "kvProj" | "oProj";
  readonly kept: HeadsNames["kept"];
  readonly grad: HeadsNames["grad"];
}

export const FULL_ATTENTION: SublayerKind<Sublayer, FullAttentionNames> = {
  tensors: {
    inputLayernorm: (c) => vector("attn_norm", "input_layernorm", c.hiddenSize),
    qProj: (c) =>
      matrix("attn_q", "self_attn.q_proj", [
        c.numAttentionHeads * (c.qkNopeHeadDim + c.qkRopeHeadDim),
        c.hiddenSize,
      ]),
    kPeProj: (c) => matrix("attn_k_pe", "self_attn.k_pe_proj", [c.qkRopeHeadDim, c.hiddenSize]),
    /** [heads, nope | v] */
    kvProj: (c) =>
      matrix("attn_kv", "self_attn.kv_proj", [
        c.numAttentionHeads * (c.qkNopeHeadDim + c.vHeadDim),
        c.hiddenSize,
      ]),
    oProj: (c) =>
      matrix("attn_output", "self_attn.o_proj", [c.hiddenSize, c.numAttentionHeads * c.vHeadDim], {
        addsToResidual: true,
      }),
  },
  kept: HEADS_KEPT,
  grads: HEADS_GRADS,
  create: (parts) => new FullAttention(parts),
};

class FullAttention implements Sublayer {
  readonly #parts: TrainingParts<FullAttentionNames>;
  readonly #products: Products;
  readonly #norms: Norms;
  readonly #heads: Heads;

  constructor(parts: TrainingParts<FullAttentionNames>) {
    this.#parts = parts;
    this.#products = new Products(parts);
    this.#norms = new Norms(parts);
    this.#heads = new Heads(parts);
  }

  forward(layer: number, first: number, n: number): void {
    const { config, buffers, kernels, parameters } = this.#parts;
    const { hiddenSize } = config;
    const [weights, kept] = [parameters.layers[layer], buffers.layers[layer]];
    const { inputLayernorm, qProj, kPeProj, kvProj, oProj } = weights;
    const at = (ptr: number, width: number): number => ptr + first * width * 4;
    this.#norms.forward(kept.xNorm, kept.x, inputLayernorm, [first, n]);
    const xNorm = at(kept.xNorm, hiddenSize);
    this.#products.forward(at(kept.q, qProj.rows), xNorm, qProj, n);
    this.#products.forward(at(kept.kPe, kPeProj.rows), xNorm, kPeProj, n);
    this.#products.forward(at(kept.kv, kvProj.rows), xNorm, kvProj, n);
    this.#heads.forward(kept, first, n);
    const xMid = at(kept.xMid, hiddenSize);
    this.#products.forward(xMid, at(kept.attnOut, oProj.cols), oProj, n);
    kernels.addF32(xMid, at(kept.x, hiddenSize), n * hiddenSize);
  }

  backward(layer: number, first: number, n: number): void {
    const { config, buffers, memory, parameters } = this.#parts;
    const { hiddenSize } = config;
    const { grads } = buffers;
    const [weights, kept] = [parameters.layers[layer], buffers.layers[layer]];
    const { inputLayernorm, qProj, kPeProj, kvProj, oProj } = weights;
    const at = (ptr: number, width: number): number => ptr + first * width * 4;
    const from = at(grads.dx, hiddenSize);
    const dOut = at(grads.dAttnOut, hiddenSize);
    new Uint8Array(memory.buffer).copyWithin(dOut, from, from + n * hiddenSize * 4);
    this.#products.toInput(at(grads.dHeads, oProj.cols), dOut, oProj, n);
    this.#heads.backward(kept, first, n);
    const dxNorm = at(grads.dxNorm, hiddenSize);
    this.#products.toInput(dxNorm, at(grads.dq, qProj.rows), qProj, n);
    this.#products.toInput(dxNorm, at(grads.dkPe, kPeProj.rows), kPeProj, n, { adds: true });
    this.#products.toInput(dxNorm, at(grads.dkv, kvProj.rows), kvProj, n, { adds: true });
    this.#norms.toInput(grads.dx, kept.x, inputLayernorm, grads.dxNorm, [first, n]);
  }

  addWeights(layer: number): void {
    const { buffers, parameters, sizes } = this.#parts;
    const { grads } = buffers;
    const [weights, { x, xNorm, attnOut }] = [parameters.layers[layer], buffers.layers[layer]];
    this.#products.toWeights(weights.oProj, grads.dAttnOut, attnOut, sizes.tokens);
    this.#products.toWeights(weights.qProj, grads.dq, xNorm, sizes.tokens);
    this.#products.toWeights(weights.kPeProj, grads.dkPe, xNorm, sizes.tokens);
    this.#products.toWeights(weights.kvProj, grads.dkv, xNorm, sizes.tokens);
    this.#norms.toGain(weights.inputLayernorm, x, grads.dxNorm);
  }
}
