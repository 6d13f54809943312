/**
 * The heads of attention in expanded form, forward and backward: rotation of queries and of the
 * shared key by each token's position in its document, then softmax attention within documents.
 */
import type { BufferTable, LayerBuffers } from "../engine/buffers.js";
import { AttendGrads, AttendInputs, AttendShape, STRUCT_OFFSETS } from "../engine/structs.js";
import type { TrainingParts } from "./parts.js";

/** What an architecture must provide for the heads. */
export interface HeadsNames {
  readonly tensor: never;
  readonly kept: "q" | "kPe" | "kv" | "attnOut" | "logSumExp";
  readonly grad: "dq" | "dkPe" | "dkv" | "dHeads" | "dkPeHeads";
}

/** f32 */
export const HEADS_KEPT: BufferTable<HeadsNames["kept"]> = {
  /** Rotated. */
  q: (c, { tokens }) => [tokens, c.numAttentionHeads, c.qkNopeHeadDim + c.qkRopeHeadDim],
  /** The key that the heads share, rotated. */
  kPe: (c, { tokens }) => [tokens, c.qkRopeHeadDim],
  kv: (c, { tokens }) => [tokens, c.numAttentionHeads, c.qkNopeHeadDim + c.vHeadDim],
  attnOut: (c, { tokens }) => [tokens, c.numAttentionHeads, c.vHeadDim],
  logSumExp: (c, { tokens, contextLength }) => [
    tokens / contextLength,
    c.numAttentionHeads,
    contextLength,
  ],
};

/** f32 */
export const HEADS_GRADS: BufferTable<HeadsNames["grad"]> = {
  dq: HEADS_KEPT.q,
  dkPe: HEADS_KEPT.kPe,
  dkv: HEADS_KEPT.kv,
  dHeads: HEADS_KEPT.attnOut,
  /** Of the shared key, by head. */
  dkPeHeads: (c, { tokens, contextLength }) => [
    tokens / contextLength,
    c.numAttentionHeads,
    contextLength,
    c.qkRopeHeadDim,
  ],
};

export class Heads {
  readonly #parts: TrainingParts<HeadsNames>;
  readonly #shape: AttendShape;
  readonly #grads: AttendGrads;
  readonly #inputs: AttendInputs;
  /** Floats of a token's queries, of its keys and values, and of its heads' output. */
  readonly #qDim: number;
  readonly #kvDim: number;
  readonly #vDim: number;

  constructor(parts: TrainingParts<HeadsNames>) {
    this.#parts = parts;
    const { config, memory, structsPtr } = parts;
    const { numAttentionHeads: heads, qkNopeHeadDim, qkRopeHeadDim, vHeadDim } = config;
    this.#shape = new AttendShape(memory, structsPtr + STRUCT_OFFSETS.attend);
    this.#grads = new AttendGrads(memory, structsPtr + STRUCT_OFFSETS.attendGrads);
    this.#inputs = new AttendInputs(memory, structsPtr + STRUCT_OFFSETS.attendInputs);
    this.#qDim = heads * (qkNopeHeadDim + qkRopeHeadDim);
    this.#kvDim = heads * (qkNopeHeadDim + vHeadDim);
    this.#vDim = heads * vHeadDim;
  }

  /** attnOut and logSumExp of n tokens from q, kPe and kv; rotates q and kPe */
  forward(kept: LayerBuffers<HeadsNames["kept"]>, first: number, n: number): void {
    const { config, buffers, kernels, scratchPtr, sizes } = this.#parts;
    const { numAttentionHeads: heads, qkRopeHeadDim } = config;
    this.#rotate(kernels.ropeF32, kept.q, kept.kPe, [first, n]);
    const shape = this.#writeShape();
    for (let t = first; t < first + n; t += sizes.contextLength) {
      const at = (ptr: number, width: number): number => ptr + t * width * 4;
      const out = at(kept.attnOut, this.#vDim);
      const q = at(kept.q, this.#qDim);
      const kv = at(kept.kv, this.#kvDim);
      const kPe = at(kept.kPe, qkRopeHeadDim);
      const [lse, starts] = [at(kept.logSumExp, heads), at(buffers.starts, 1)];
      for (let head = 0; head < heads; head++) {
        kernels.attend(out, lse, q, kv, kPe, starts, shape, head, scratchPtr);
      }
    }
  }

  /** dq, dkv and dkPe of n tokens from dHeads, with rotations undone */
  backward(kept: LayerBuffers<HeadsNames["kept"]>, first: number, n: number): void {
    const { config, buffers, kernels, scratchPtr, sizes } = this.#parts;
    const { numAttentionHeads: heads, qkRopeHeadDim } = config;
    const { grads } = buffers;
    const [qDim, kvDim, vDim] = [this.#qDim, this.#kvDim, this.#vDim];
    const shape = this.#writeShape();
    const [gradsPtr, inputsPtr] = [this.#grads.ptr, this.#inputs.ptr];
    for (let t = first; t < first + n; t += sizes.contextLength) {
      const at = (ptr: number, width: number): number => ptr + t * width * 4;
      const dkPe = at(grads.dkPeHeads, heads * qkRopeHeadDim);
      this.#grads.write({ dq: at(grads.dq, qDim), dkv: at(grads.dkv, kvDim), dkPe });
      this.#inputs.write({
        q: at(kept.q, qDim),
        kv: at(kept.kv, kvDim),
        kPe: at(kept.kPe, qkRopeHeadDim),
        out: at(kept.attnOut, vDim),
        lse: at(kept.logSumExp, heads),
        dout: at(grads.dHeads, vDim),
      });
      const starts = at(buffers.starts, 1);
      for (let head = 0; head < heads; head++) {
        kernels.attendGrad(gradsPtr, inputsPtr, starts, shape, head, scratchPtr);
      }
      this.#addHeads(at(grads.dkPe, qkRopeHeadDim), dkPe);
    }
    this.#rotate(kernels.ropeGrad, grads.dq, grads.dkPe, [first, n]);
  }

  /** Rotates queries' rope parts and the shared keys, with ropeF32 or its gradient. */
  #rotate(
    kernel: (ptr: number, table: number, heads: number, stride: number, n: number) => void,
    q: number,
    kPe: number,
    [first, n]: readonly [number, number],
  ): void {
    const { config, buffers, memory } = this.#parts;
    const { numAttentionHeads: heads, qkNopeHeadDim, qkRopeHeadDim } = config;
    const qkHeadDim = qkNopeHeadDim + qkRopeHeadDim;
    const positions = new Uint32Array(memory.buffer, buffers.positions + first * 4, n);
    for (let i = 0; i < n; i++) {
      const table = buffers.ropeTable + positions[i] * qkRopeHeadDim * 4;
      const qPe = q + ((first + i) * this.#qDim + qkNopeHeadDim) * 4;
      kernel(qPe, table, heads, qkHeadDim, qkRopeHeadDim);
      kernel(kPe + (first + i) * qkRopeHeadDim * 4, table, 1, qkRopeHeadDim, qkRopeHeadDim);
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

  /** The kernels' struct, for sequences of contextLength tokens; returns its address. */
  #writeShape(): number {
    const { config, sizes } = this.#parts;
    const { numAttentionHeads: heads, qkNopeHeadDim, qkRopeHeadDim, vHeadDim } = config;
    this.#shape.write({
      ...{ length: sizes.contextLength, heads, kPeRow: qkRopeHeadDim },
      ...{ nopeDim: qkNopeHeadDim, ropeDim: qkRopeHeadDim, valueDim: vHeadDim },
      scale: 1 / Math.sqrt(qkNopeHeadDim + qkRopeHeadDim),
    });
    return this.#shape.ptr;
  }
}
