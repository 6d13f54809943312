/** Causal attention of expanded MLA over documents, forward and backward in f64. */

/** Sizes of the arrays, as for the attend kernels. */
export interface AttentionSizes {
  readonly length: number;
  readonly heads: number;
  readonly nopeDim: number;
  readonly ropeDim: number;
  readonly valueDim: number;
  readonly kPeRow: number;
  readonly scale: number;
}

/** q[L, heads, nope + rope], kv[L, heads, nope + value], kPe[L, kPeRow], and the documents. */
export interface AttentionInputs {
  readonly q: ArrayLike<number>;
  readonly kv: ArrayLike<number>;
  readonly kPe: ArrayLike<number>;
  /** Token i sees tokens starts[i] .. i. */
  readonly starts: ArrayLike<number>;
}

/** Gradients, in the inputs' layout, except dkPe[heads, L, rope]. */
export interface AttentionGrads {
  readonly dq: Float64Array;
  readonly dkv: Float64Array;
  readonly dkPe: Float64Array;
}

/** Where element d of query i, of key t and of value t stand; keys behind nopeDim are kPe's. */
function places(sizes: AttentionSizes, head: number) {
  const { heads, nopeDim, ropeDim, valueDim, kPeRow } = sizes;
  const kvDim = nopeDim + valueDim;
  return {
    q: (i: number, d: number): number => (i * heads + head) * (nopeDim + ropeDim) + d,
    nope: (t: number, d: number): number => (t * heads + head) * kvDim + d,
    pe: (t: number, d: number): number => t * kPeRow + d,
    value: (t: number, d: number): number => (t * heads + head) * kvDim + nopeDim + d,
    out: (i: number, d: number): number => (i * heads + head) * valueDim + d,
  };
}

/** Weights of query i over tokens starts[i] .. i, and the logarithm of the sum of e^score. */
function weigh(
  { q, kv, kPe, starts }: AttentionInputs,
  sizes: AttentionSizes,
  head: number,
  i: number,
): { weights: number[]; lse: number } {
  const { nopeDim, ropeDim, scale } = sizes;
  const at = places(sizes, head);
  const scores: number[] = [];
  for (let t = starts[i]; t <= i; t++) {
    let sum = 0;
    for (let d = 0; d < nopeDim; d++) sum += q[at.q(i, d)] * kv[at.nope(t, d)];
    for (let d = 0; d < ropeDim; d++) sum += q[at.q(i, nopeDim + d)] * kPe[at.pe(t, d)];
    scores.push(sum * scale);
  }
  const largest = Math.max(...scores);
  const sum = scores.reduce((total, score) => total + Math.exp(score - largest), 0);
  const lse = largest + Math.log(sum);
  return { weights: scores.map((score) => Math.exp(score - lse)), lse };
}

/** out[L, heads, valueDim] and lse[heads, L] */
export function referenceAttend(
  inputs: AttentionInputs,
  sizes: AttentionSizes,
): { out: Float64Array; lse: Float64Array } {
  const { length, heads, valueDim } = sizes;
  const out = new Float64Array(length * heads * valueDim);
  const lse = new Float64Array(heads * length);
  for (let head = 0; head < heads; head++) {
    const at = places(sizes, head);
    for (let i = 0; i < length; i++) {
      const row = weigh(inputs, sizes, head, i);
      lse[head * length + i] = row.lse;
      row.weights.forEach((weight, j) => {
        const t = inputs.starts[i] + j;
        for (let d = 0; d < valueDim; d++) out[at.out(i, d)] += weight * inputs.kv[at.value(t, d)];
      });
    }
  }
  return { out, lse };
}

/** The gradients of referenceAttend's out, times dout. */
export function referenceAttendGrad(
  inputs: AttentionInputs,
  dout: ArrayLike<number>,
  sizes: AttentionSizes,
): AttentionGrads {
  const { length, heads, nopeDim, ropeDim, valueDim, scale } = sizes;
  const { q, kv, kPe, starts } = inputs;
  const dq = new Float64Array(q.length);
  const dkv = new Float64Array(kv.length);
  const dkPe = new Float64Array(heads * length * ropeDim);
  for (let head = 0; head < heads; head++) {
    const at = places(sizes, head);
    for (let i = 0; i < length; i++) {
      const { weights } = weigh(inputs, sizes, head, i);
      const dWeights = weights.map((_, j) => {
        let sum = 0;
        for (let d = 0; d < valueDim; d++) {
          sum += dout[at.out(i, d)] * kv[at.value(starts[i] + j, d)];
        }
        return sum;
      });
      const center = weights.reduce((sum, weight, j) => sum + weight * dWeights[j], 0);
      weights.forEach((weight, j) => {
        const t = starts[i] + j;
        const dScore = weight * (dWeights[j] - center) * scale;
        for (let d = 0; d < valueDim; d++) dkv[at.value(t, d)] += weight * dout[at.out(i, d)];
        for (let d = 0; d < nopeDim; d++) {
          dq[at.q(i, d)] += dScore * kv[at.nope(t, d)];
          dkv[at.nope(t, d)] += dScore * q[at.q(i, d)];
        }
        for (let d = 0; d < ropeDim; d++) {
          dq[at.q(i, nopeDim + d)] += dScore * kPe[at.pe(t, d)];
          dkPe[(head * length + t) * ropeDim + d] += dScore * q[at.q(i, nopeDim + d)];
        }
      });
    }
  }
  return { dq, dkv, dkPe };
}
