/**
 * PLM's backward pass: the gradients of the loss in every parameter, added to `gradients`. A layer
 * has two steps: a thread goes back through its own sequences, then, once all have joined, adds up
 * its share of the weights' gradients over all tokens. So no sum depends on how many threads there
 * are.
 */
import { ownTokens, writeAttendShape } from "./forward.js";
import { Head } from "./head.js";
import type { LayerParameters, Parameter } from "./parameters.js";
import { ATTEND_GRADS_OFFSET, ATTEND_INPUTS_OFFSET, type TrainingParts } from "./parts.js";
import type { LayerBuffers } from "./plan.js";
import { Products } from "./products.js";
import { SparseGradients } from "./sparse-gradients.js";

export class Backward {
  readonly #parts: TrainingParts;
  readonly #products: Products;
  readonly #head: Head;
  readonly #sparse: SparseGradients;
  readonly #gradPtrs: Uint32Array;
  readonly #inputPtrs: Uint32Array;

  constructor(parts: TrainingParts) {
    this.#parts = parts;
    this.#products = new Products(parts);
    this.#head = new Head(parts);
    this.#sparse = new SparseGradients(parts);
    const { memory, shapePtr } = parts;
    this.#gradPtrs = new Uint32Array(memory.buffer, shapePtr + ATTEND_GRADS_OFFSET, 3);
    this.#inputPtrs = new Uint32Array(memory.buffer, shapePtr + ATTEND_INPUTS_OFFSET, 6);
  }

  /** After forward: the losses, and the gradients of their sum times `gradientScale`. */
  run(gradientScale: number): void {
    const { config, buffers, kernels, member, memory, parameters, sizes } = this.#parts;
    const { hiddenSize } = config;
    const { grads } = buffers;
    const { first, end } = ownTokens(this.#parts);
    const n = end - first;
    this.#head.run(gradientScale);
    member.join();
    const dx = grads.dx + first * hiddenSize * 4;
    new Uint8Array(memory.buffer, dx, n * hiddenSize * 4).fill(0);
    this.#normGrad(grads.dx, buffers.xOut, parameters.norm, grads.dxNorm, [first, n]);
    this.#gainGrad(parameters.norm, buffers.xOut, grads.dxNorm);
    for (let i = parameters.layers.length - 1; i >= 0; i--) {
      const [layer, kept] = [parameters.layers[i], buffers.layers[i]];
      // Until here others read what this layer writes.
      member.join();
      this.#throughMlp(layer, kept, first, n);
      this.#throughAttention(layer, kept, first, n);
      member.join();
      this.#sparse.addWeights(layer, kept);
      this.#addWeights(layer, kept);
    }
    member.join();
    const [own, ownEnd] = member.share(hiddenSize, 4);
    const table = buffers.gradients + parameters.embedTokens.offset * 4;
    kernels.scatterAddRows(table, buffers.ids, grads.dx, sizes.tokens, hiddenSize, own, ownEnd);
  }

  /** dx += the gradient of RMSNorm in x, of n tokens from the first on */
  #normGrad(
    dxPtr: number,
    xPtr: number,
    { offset, cols }: Parameter,
    dyPtr: number,
    [first, n]: readonly [number, number],
  ): void {
    const { config, buffers, kernels } = this.#parts;
    const at = first * cols * 4;
    const gain = buffers.values + offset * 4;
    kernels.rmsnormGrad(dxPtr + at, xPtr + at, gain, dyPtr + at, n, cols, config.rmsNormEps);
  }

  /** The gain's gradient over all tokens: this thread's share of its columns. */
  #gainGrad({ offset, cols }: Parameter, xPtr: number, dyPtr: number): void {
    const { config, buffers, kernels, member, sizes } = this.#parts;
    const [first, end] = member.share(cols, 4);
    const gain = buffers.gradients + offset * 4;
    const eps = config.rmsNormEps;
    kernels.rmsnormGainGrad(gain, xPtr, dyPtr, sizes.tokens, cols, first, end, eps);
  }

  /** dx of xMid from dx of the layer's output; keeps the latter as dMlpOut */
  #throughMlp(layer: LayerParameters, kept: LayerBuffers, first: number, n: number): void {
    const { config, buffers, memory } = this.#parts;
    const { hiddenSize } = config;
    const { dx, dMlpOut, dxMidNorm } = buffers.grads;
    const [at, bytes] = [first * hiddenSize * 4, n * hiddenSize * 4];
    new Uint8Array(memory.buffer).copyWithin(dMlpOut + at, dx + at, dx + at + bytes);
    this.#sparse.throughMlp(layer, kept, first, n);
    this.#normGrad(dx, kept.xMid, layer.postAttentionLayernorm, dxMidNorm, [first, n]);
  }

  /** dx of x from dx of xMid; keeps the latter as dAttnOut */
  #throughAttention(layer: LayerParameters, kept: LayerBuffers, first: number, n: number): void {
    const { config, buffers, memory } = this.#parts;
    const { hiddenSize, numAttentionHeads: heads, kvLoraRank, qkNopeHeadDim } = config;
    const { qkRopeHeadDim, vHeadDim } = config;
    const { grads } = buffers;
    const at = (ptr: number, width: number): number => ptr + first * width * 4;
    const [from, to] = [at(grads.dx, hiddenSize), at(grads.dAttnOut, hiddenSize)];
    new Uint8Array(memory.buffer).copyWithin(to, from, from + n * hiddenSize * 4);
    this.#products.toInput(at(grads.dHeads, heads * vHeadDim), from, layer.oProj, n);
    this.#attendGrad(kept, first, n);
    this.#rotateBack(first, n);
    const dkv = at(grads.dkv, heads * (qkNopeHeadDim + vHeadDim));
    this.#products.toInput(at(grads.dLatentNorm, kvLoraRank), dkv, layer.kvBProj, n);
    const dLatent = at(grads.dLatent, kvLoraRank);
    new Uint8Array(memory.buffer, dLatent, n * kvLoraRank * 4).fill(0);
    const { kvALayernorm, kvAProjWithMqa: kvA } = layer;
    this.#normGrad(grads.dLatent, kept.latent, kvALayernorm, grads.dLatentNorm, [first, n]);
    const dxNorm = at(grads.dxNorm, hiddenSize);
    const dq = at(grads.dq, heads * (qkNopeHeadDim + qkRopeHeadDim));
    this.#products.toInput(dxNorm, dq, layer.qProj, n);
    const latent = { adds: true, range: { first: 0, end: kvLoraRank } };
    this.#products.toInput(dxNorm, dLatent, kvA, n, latent);
    const kPe = { adds: true, range: { first: kvLoraRank, end: kvA.rows } };
    this.#products.toInput(dxNorm, at(grads.dkPe, qkRopeHeadDim), kvA, n, kPe);
    this.#normGrad(grads.dx, kept.x, layer.inputLayernorm, grads.dxNorm, [first, n]);
  }

  /** dq, dkv and, by head, dkPe from dHeads */
  #attendGrad(kept: LayerBuffers, first: number, n: number): void {
    const { config, buffers, kernels, scratchPtr, shapePtr, sizes } = this.#parts;
    const { numAttentionHeads: heads, qkNopeHeadDim, qkRopeHeadDim, vHeadDim } = config;
    const { contextLength } = sizes;
    const { grads } = buffers;
    const [qDim, kvDim] = [
      heads * (qkNopeHeadDim + qkRopeHeadDim),
      heads * (qkNopeHeadDim + vHeadDim),
    ];
    const vDim = heads * vHeadDim;
    const shape = writeAttendShape(this.#parts);
    const [gradPtrs, inputPtrs] = [shapePtr + ATTEND_GRADS_OFFSET, shapePtr + ATTEND_INPUTS_OFFSET];
    for (let t = first; t < first + n; t += contextLength) {
      const at = (ptr: number, width: number): number => ptr + t * width * 4;
      const dkPe = at(grads.dkPeHeads, heads * qkRopeHeadDim);
      this.#gradPtrs.set([at(grads.dq, qDim), at(grads.dkv, kvDim), dkPe]);
      this.#inputPtrs.set([
        ...[at(kept.q, qDim), at(kept.kv, kvDim), at(kept.kPe, qkRopeHeadDim)],
        ...[at(kept.attnOut, vDim), at(kept.logSumExp, heads), at(grads.dHeads, vDim)],
      ]);
      const starts = at(buffers.starts, 1);
      for (let head = 0; head < heads; head++) {
        kernels.attendGrad(gradPtrs, inputPtrs, starts, shape, head, scratchPtr);
      }
      this.#addHeads(at(grads.dkPe, qkRopeHeadDim), dkPe);
    }
  }

  /** dkPe of one sequence: the sum over its heads */
  #addHeads(dkPe: number, byHead: number): void {
    const { config, kernels, memory, sizes } = this.#parts;
    const length = sizes.contextLength * config.qkRopeHeadDim;
    new Uint8Array(memory.buffer).copyWithin(dkPe, byHead, byHead + length * 4);
    for (let head = 1; head < config.numAttentionHeads; head++) {
      kernels.addF32(dkPe, byHead + head * length * 4, length);
    }
  }

  /** Gradients of the queries' rope parts and of the shared keys before their rotation. */
  #rotateBack(first: number, n: number): void {
    const { config, buffers, kernels, memory } = this.#parts;
    const { numAttentionHeads: heads, qkNopeHeadDim, qkRopeHeadDim } = config;
    const { dq, dkPe } = buffers.grads;
    const qkHeadDim = qkNopeHeadDim + qkRopeHeadDim;
    const positions = new Uint32Array(memory.buffer, buffers.positions + first * 4, n);
    for (let i = 0; i < n; i++) {
      const table = buffers.ropeTable + positions[i] * qkRopeHeadDim * 4;
      const dqPe = dq + ((first + i) * heads * qkHeadDim + qkNopeHeadDim) * 4;
      kernels.ropeGrad(dqPe, table, heads, qkHeadDim, qkRopeHeadDim);
      const dkPePtr = dkPe + (first + i) * qkRopeHeadDim * 4;
      kernels.ropeGrad(dkPePtr, table, 1, qkRopeHeadDim, qkRopeHeadDim);
    }
  }

  /** This thread's share of the gradients of a layer's dense weights, over all tokens. */
  #addWeights(layer: LayerParameters, kept: LayerBuffers): void {
    const { config, buffers, sizes } = this.#parts;
    const { tokens } = sizes;
    const { grads } = buffers;
    const { kvAProjWithMqa: kvA } = layer;
    const [latent, kPe] = [
      { first: 0, end: config.kvLoraRank },
      { first: config.kvLoraRank, end: kvA.rows },
    ];
    this.#gainGrad(layer.postAttentionLayernorm, kept.xMid, grads.dxMidNorm);
    this.#products.toWeights(layer.oProj, grads.dAttnOut, kept.attnOut, tokens);
    this.#products.toWeights(layer.kvBProj, grads.dkv, kept.latentNorm, tokens);
    this.#gainGrad(layer.kvALayernorm, kept.latent, grads.dLatentNorm);
    this.#products.toWeights(layer.qProj, grads.dq, kept.xNorm, tokens);
    this.#products.toWeights(kvA, grads.dLatent, kept.xNorm, tokens, latent);
    this.#products.toWeights(kvA, grads.dkPe, kept.xNorm, tokens, kPe);
    this.#gainGrad(layer.inputLayernorm, kept.x, grads.dxNorm);
  }
}
