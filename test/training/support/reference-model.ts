/** The loss of a PLM over packed documents in float64, as plainly as it can be written. */
import type { PlmConfig } from "../../../src/model/config.js";
import type { Batch } from "../../../src/training/data/batches.js";
import { NO_TARGET } from "../../../src/training/engine/kernels.js";
import type { Parameters } from "../../../src/training/network/parameters.js";

type Matrix = Float64Array<ArrayBufferLike>[];

/** Where a model differs from PLM. */
export interface ReferenceForm {
  /** What `down` reads, of what `up` makes of a token. */
  readonly activation: (up: Float64Array) => Float64Array;
  /** Whether keys and values are made from a normed latent, not from the hidden state. */
  readonly latent: boolean;
  /** What a dropout site (src/training/network/dropout.ts) makes of a token's vector. */
  readonly dropout?: (x: Float64Array, site: number, token: number) => Float64Array;
}

/** PLM itself. */
export const PLM: ReferenceForm = {
  activation: (up) => up.map((u) => Math.max(u, 0) ** 2),
  latent: true,
};

/** The sum of -log p over the batch's targets, in nats. */
export function referenceLoss(
  values: ArrayLike<number>,
  parameters: Parameters,
  config: PlmConfig,
  { batch, contextLength }: { readonly batch: Batch; readonly contextLength: number },
  form: ReferenceForm = PLM,
): number {
  const byName = new Map(parameters.all.map((parameter) => [parameter.name, parameter]));
  const matrix = (name: string): Matrix => {
    const { rows, cols, offset } = byName.get(`${name}.weight`)!;
    return Array.from({ length: rows }, (_, r) =>
      Float64Array.from({ length: cols }, (_, c) => values[offset + r * cols + c]),
    );
  };
  const embedding = matrix("token_embd");
  let loss = 0;
  for (let first = 0; first < batch.ids.length; first += contextLength) {
    const part = (words: Uint32Array): number[] => [
      ...words.subarray(first, first + contextLength),
    ];
    const [ids, targets] = [part(batch.ids), part(batch.targets)];
    const places = { positions: part(batch.positions), starts: part(batch.starts) };
    const dropped = (vectors: Matrix, site: number): Matrix =>
      vectors.map((r, t) => form.dropout?.(r, site, first + t) ?? r);
    let x: Matrix = dropped(
      ids.map((id) => embedding[id].slice()),
      0,
    );
    for (let i = 0; i < config.numHiddenLayers; i++) {
      const layer = { matrix: (name: string) => matrix(`blk.${i}.${name}`), form };
      const attended = dropped(attention(x, layer, config, places), 1 + 2 * i);
      const mid = x.map((r, t) => add(r, attended[t]));
      const out = dropped(mlp(mid, layer, config), 2 + 2 * i);
      x = mid.map((r, t) => add(r, out[t]));
    }
    const [gain] = matrix("output_norm");
    x.forEach((residual, t) => {
      if (targets[t] === NO_TARGET) return;
      const logits = apply(embedding, normalize(residual, gain, config.rmsNormEps));
      const most = Math.max(...logits);
      const sum = logits.reduce((total, logit) => total + Math.exp(logit - most), 0);
      loss += most + Math.log(sum) - logits[targets[t]];
    });
  }
  return loss;
}

interface Places {
  readonly positions: number[];
  readonly starts: number[];
}

interface Layer {
  /** Rows of a tensor, by its name in GGUF files. */
  readonly matrix: (name: string) => Matrix;
  readonly form: ReferenceForm;
}

function attention(x: Matrix, layer: Layer, config: PlmConfig, places: Places): Matrix {
  const [gain] = layer.matrix("attn_norm");
  const normed = x.map((r) => normalize(r, gain, config.rmsNormEps));
  const o = layer.matrix("attn_output");
  return attend(normed, layer, config, places).map((heads) => apply(o, heads));
}

function mlp(x: Matrix, { matrix, form }: Layer, { rmsNormEps, hiddenSize }: PlmConfig): Matrix {
  const [up, down] = [matrix("ffn_up"), matrix("ffn_down")];
  const [gain] = matrix("ffn_norm");
  return x.map((r) => {
    const hidden = apply(up, normalize(r, gain, rmsNormEps));
    const out = new Float64Array(hiddenSize);
    form.activation(hidden).forEach((value, neuron) => {
      down[neuron].forEach((w, i) => {
        out[i] += value * w;
      });
    });
    return out;
  });
}

/** Each token's keys and values, [heads, nope | v], and the key that the heads share. */
function keysAndValues(
  x: Matrix,
  { matrix, form }: Layer,
  { kvLoraRank, rmsNormEps }: PlmConfig,
): { readonly kv: Matrix; readonly kPe: Matrix } {
  if (!form.latent) {
    const [kPeProj, kvProj] = [matrix("attn_k_pe"), matrix("attn_kv")];
    return { kv: x.map((r) => apply(kvProj, r)), kPe: x.map((r) => apply(kPeProj, r)) };
  }
  const [kvA, [gain], kvB] = ["attn_kv_a_mqa", "attn_kv_a_norm", "attn_kv_b"].map(matrix);
  const compressed = x.map((r) => apply(kvA, r));
  const latents = compressed.map((c) => normalize(c.slice(0, kvLoraRank), gain, rmsNormEps));
  return { kv: latents.map((c) => apply(kvB, c)), kPe: compressed.map((c) => c.slice(kvLoraRank)) };
}

function attend(x: Matrix, layer: Layer, config: PlmConfig, { positions, starts }: Places): Matrix {
  const { numAttentionHeads: heads, qkNopeHeadDim, qkRopeHeadDim, vHeadDim } = config;
  const qkHeadDim = qkNopeHeadDim + qkRopeHeadDim;
  const qProj = layer.matrix("attn_q");
  const queries = x.map((r) => apply(qProj, r));
  const { kv, kPe: keys } = keysAndValues(x, layer, config);
  const kPe = keys.map((key, t) => rotate(key, positions[t], config));
  return x.map((_, t) => {
    const out = new Float64Array(heads * vHeadDim);
    for (let h = 0; h < heads; h++) {
      const q = queries[t].slice(h * qkHeadDim, (h + 1) * qkHeadDim);
      const qPe = rotate(q.slice(qkNopeHeadDim), positions[t], config);
      const at = h * (qkNopeHeadDim + vHeadDim);
      const scores: number[] = [];
      for (let s = starts[t]; s <= t; s++) {
        const nope = dot(q.slice(0, qkNopeHeadDim), kv[s].slice(at, at + qkNopeHeadDim));
        scores.push((nope + dot(qPe, kPe[s])) / Math.sqrt(qkHeadDim));
      }
      const most = Math.max(...scores);
      const weights = scores.map((score) => Math.exp(score - most));
      const sum = weights.reduce((a, b) => a + b);
      weights.forEach((weight, i) => {
        for (let d = 0; d < vHeadDim; d++) {
          out[h * vHeadDim + d] += (weight / sum) * kv[starts[t] + i][at + qkNopeHeadDim + d];
        }
      });
    }
    return out;
  });
}

function rotate(
  x: Float64Array,
  position: number,
  { qkRopeHeadDim, ropeTheta }: PlmConfig,
): Float64Array {
  const out = x.slice();
  for (let i = 0; i < x.length; i += 2) {
    const angle = position * ropeTheta ** (-i / qkRopeHeadDim);
    out[i] = x[i] * Math.cos(angle) - x[i + 1] * Math.sin(angle);
    out[i + 1] = x[i] * Math.sin(angle) + x[i + 1] * Math.cos(angle);
  }
  return out;
}

function normalize(x: Float64Array, gain: Float64Array, eps: number): Float64Array {
  const inverse = 1 / Math.sqrt(dot(x, x) / x.length + eps);
  return x.map((value, i) => value * inverse * gain[i]);
}

function apply(w: Matrix, x: Float64Array): Float64Array {
  return Float64Array.from(w, (r) => dot(r, x));
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i], 0);
}

function add(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value + b[i]);
}
