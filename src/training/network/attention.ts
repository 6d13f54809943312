/** MLA in training, expanded: xMid = x + W_o attention(RMSNorm(x)), forward and backward. */
import type { PlmConfig } from "../../model/config.js";
import { MLA_TENSORS } from "../../model/plm-tensors.js";
import type { Shape, TrainingSizes } from "../engine/buffers.js";
import { attentionSite, Dropout } from "./dropout.js";
import { HEADS_GRADS, HEADS_KEPT, Heads, type HeadsNames } from "./heads.js";
import { Norms } from "./norms.js";
import type { TrainingParts } from "./parts.js";
import { Products, type RowRange } from "./products.js";
import type { Sublayer, SublayerKind } from "./sublayer.js";

interface MlaNames {
  readonly tensor: keyof typeof MLA_TENSORS;
  readonly kept: "latent" | "latentNorm" | HeadsNames["kept"];
  readonly grad: "dLatent" | "dLatentNorm" | HeadsNames["grad"];
}

const ofLatent = (c: PlmConfig, { tokens }: TrainingSizes): Shape => [tokens, c.kvLoraRank];

export const MLA: SublayerKind<Sublayer, MlaNames> = {
  tensors: MLA_TENSORS,
  kept: { latent: ofLatent, latentNorm: ofLatent, ...HEADS_KEPT },
  grads: { dLatent: ofLatent, dLatentNorm: ofLatent, ...HEADS_GRADS },
  create: (parts) => new Attention(parts),
};

class Attention implements Sublayer {
  readonly #parts: TrainingParts<MlaNames>;
  readonly #products: Products;
  readonly #norms: Norms;
  readonly #heads: Heads;
  readonly #dropout: Dropout;
  /** Rows of kv_a for the latent, and those for the shared key. */
  readonly #latent: RowRange;
  readonly #kPe: RowRange;
  /** Floats of a token's queries, of its keys and values, and of its heads' output. */
  readonly #qDim: number;
  readonly #kvDim: number;
  readonly #vDim: number;

  constructor(parts: TrainingParts<MlaNames>) {
    this.#parts = parts;
    this.#products = new Products(parts);
    this.#norms = new Norms(parts);
    this.#heads = new Heads(parts);
    this.#dropout = new Dropout(parts);
    const { numAttentionHeads: heads, kvLoraRank, qkNopeHeadDim } = parts.config;
    const { qkRopeHeadDim, vHeadDim } = parts.config;
    this.#latent = { first: 0, end: kvLoraRank };
    this.#kPe = { first: kvLoraRank, end: kvLoraRank + qkRopeHeadDim };
    this.#qDim = heads * (qkNopeHeadDim + qkRopeHeadDim);
    this.#kvDim = heads * (qkNopeHeadDim + vHeadDim);
    this.#vDim = heads * vHeadDim;
  }

  forward(layer: number, first: number, n: number): void {
    const { config, buffers, kernels, parameters } = this.#parts;
    const { hiddenSize, kvLoraRank, qkRopeHeadDim } = config;
    const [weights, kept] = [parameters.layers[layer], buffers.layers[layer]];
    const at = (ptr: number, width: number): number => ptr + first * width * 4;
    this.#norms.forward(kept.xNorm, kept.x, weights.inputLayernorm, [first, n]);
    const xNorm = at(kept.xNorm, hiddenSize);
    const kvA = weights.kvAProjWithMqa;
    this.#products.forward(at(kept.q, this.#qDim), xNorm, weights.qProj, n);
    this.#products.forward(at(kept.latent, kvLoraRank), xNorm, kvA, n, this.#latent);
    this.#products.forward(at(kept.kPe, qkRopeHeadDim), xNorm, kvA, n, this.#kPe);
    this.#norms.forward(kept.latentNorm, kept.latent, weights.kvALayernorm, [first, n]);
    const latentNorm = at(kept.latentNorm, kvLoraRank);
    this.#products.forward(at(kept.kv, this.#kvDim), latentNorm, weights.kvBProj, n);
    this.#heads.forward(kept, first, n);
    const xMid = at(kept.xMid, hiddenSize);
    this.#products.forward(xMid, at(kept.attnOut, this.#vDim), weights.oProj, n);
    this.#dropout.apply(kept.xMid, attentionSite(layer), [first, n]);
    kernels.addF32(xMid, at(kept.x, hiddenSize), n * hiddenSize);
  }

  /** dx of x from dx of xMid; keeps the latter, after dropout, as dAttnOut */
  backward(layer: number, first: number, n: number): void {
    const { config, buffers, memory, parameters } = this.#parts;
    const { hiddenSize, kvLoraRank, qkRopeHeadDim } = config;
    const { grads } = buffers;
    const [weights, kept] = [parameters.layers[layer], buffers.layers[layer]];
    const at = (ptr: number, width: number): number => ptr + first * width * 4;
    const [from, to] = [at(grads.dx, hiddenSize), at(grads.dAttnOut, hiddenSize)];
    new Uint8Array(memory.buffer).copyWithin(to, from, from + n * hiddenSize * 4);
    this.#dropout.apply(grads.dAttnOut, attentionSite(layer), [first, n]);
    this.#products.toInput(at(grads.dHeads, this.#vDim), to, weights.oProj, n);
    this.#heads.backward(kept, first, n);
    const dkv = at(grads.dkv, this.#kvDim);
    this.#products.toInput(at(grads.dLatentNorm, kvLoraRank), dkv, weights.kvBProj, n);
    const dLatent = at(grads.dLatent, kvLoraRank);
    new Uint8Array(memory.buffer, dLatent, n * kvLoraRank * 4).fill(0);
    const { kvALayernorm, kvAProjWithMqa: kvA } = weights;
    this.#norms.toInput(grads.dLatent, kept.latent, kvALayernorm, grads.dLatentNorm, [first, n]);
    const dxNorm = at(grads.dxNorm, hiddenSize);
    this.#products.toInput(dxNorm, at(grads.dq, this.#qDim), weights.qProj, n);
    const [latent, kPe] = [this.#latent, this.#kPe].map((range) => ({ adds: true, range }));
    this.#products.toInput(dxNorm, dLatent, kvA, n, latent);
    this.#products.toInput(dxNorm, at(grads.dkPe, qkRopeHeadDim), kvA, n, kPe);
    this.#norms.toInput(grads.dx, kept.x, weights.inputLayernorm, grads.dxNorm, [first, n]);
  }

  addWeights(layer: number): void {
    const { buffers, parameters, sizes } = this.#parts;
    const { tokens } = sizes;
    const { grads } = buffers;
    const [weights, kept] = [parameters.layers[layer], buffers.layers[layer]];
    const { kvAProjWithMqa: kvA } = weights;
    this.#products.toWeights(weights.oProj, grads.dAttnOut, kept.attnOut, tokens);
    this.#products.toWeights(weights.kvBProj, grads.dkv, kept.latentNorm, tokens);
    this.#norms.toGain(weights.kvALayernorm, kept.latent, grads.dLatentNorm);
    this.#products.toWeights(weights.qProj, grads.dq, kept.xNorm, tokens);
    this.#products.toWeights(kvA, grads.dLatent, kept.xNorm, tokens, this.#latent);
    this.#products.toWeights(kvA, grads.dkPe, kept.xNorm, tokens, this.#kPe);
    this.#norms.toGain(weights.inputLayernorm, kept.x, grads.dxNorm);
  }
}
