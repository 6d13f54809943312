/** Plain loops in f64 that the kernels must agree with. Imported only by tests and benches. */

/** x / sqrt(mean(x^2) + eps) * weight of one row. */
export function referenceRmsnorm(
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
  eps: number,
): number[] {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i] * x[i];
  const scale = 1 / Math.sqrt(sum / x.length + eps);
  return Array.from(x, (value, i) => value * scale * weight[i]);
}

/** Adjacent pairs of x, rotated by angles with cosines and sines in `table`. */
export function referenceRope(x: ArrayLike<number>, table: ArrayLike<number>): number[] {
  const y: number[] = [];
  for (let i = 0; i < x.length; i += 2) {
    y.push(x[i] * table[i] - x[i + 1] * table[i + 1]);
    y.push(x[i] * table[i + 1] + x[i + 1] * table[i]);
  }
  return y;
}

/** The softmax of one row. */
export function referenceSoftmax(x: ArrayLike<number>): number[] {
  let largest = -Infinity;
  for (let i = 0; i < x.length; i++) largest = Math.max(largest, x[i]);
  const e = Array.from(x, (value) => Math.exp(value - largest));
  const sum = e.reduce((total, value) => total + value, 0);
  return e.map((value) => value / sum);
}

/** The value of an f16. */
export function referenceF16Value(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The bits of the f16 nearest to x, ties to even; 0x7e00 with x's sign for NaN. */
export function referenceF16Bits(x: number, negative: boolean = Object.is(x, -0) || x < 0): number {
  const sign = negative ? 0x8000 : 0;
  const magnitude = Math.abs(x);
  if (Number.isNaN(x)) return sign | 0x7e00;
  if (magnitude >= 65520) return sign | 0x7c00;
  const exponent = Math.max(-14, Math.floor(Math.log2(magnitude)));
  const steps = magnitude / 2 ** (exponent - 10);
  const below = Math.floor(steps);
  const rest = steps - below;
  const rounded = rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
  return sign | (rounded + (exponent + 14) * 1024);
}

/** GGUF q8_0: 34 bytes per block of 32, as ggml's reference quantiser writes them. */
export function referenceQ8_0(x: Float32Array): Uint8Array {
  const blocks = new DataView(new ArrayBuffer((x.length / 32) * 34));
  for (let b = 0; b < x.length / 32; b++) {
    const block = x.subarray(b * 32, b * 32 + 32);
    const d = Math.fround(block.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127);
    const inverse = d === 0 ? 0 : Math.fround(1 / d);
    blocks.setUint16(b * 34, referenceF16Bits(d), true);
    block.forEach((value, i) => {
      const scaled = Math.fround(value * inverse);
      blocks.setInt8(b * 34 + 2 + i, Math.sign(scaled) * Math.floor(Math.abs(scaled) + 0.5));
    });
  }
  return new Uint8Array(blocks.buffer);
}

/** The values of q8_0 blocks. */
export function referenceQ8_0Values(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: (bytes.length / 34) * 32 }, (_, i) => {
    const block = (i >> 5) * 34;
    return referenceF16Value(view.getUint16(block, true)) * view.getInt8(block + 2 + (i & 31));
  });
}

/** An i16 row of the latent cache: scales f32[2], 8 zero bytes, 14-bit values. */
export function referenceI16Row(latent: Float32Array, kPe: Float32Array): Uint8Array {
  const row = new DataView(new ArrayBuffer(16 + 2 * (latent.length + kPe.length)));
  let at = 16;
  for (const [part, values] of [latent, kPe].entries()) {
    const amax = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const inverse = amax === 0 ? 0 : Math.fround(8191 / amax);
    row.setFloat32(4 * part, amax / 8191, true);
    for (const value of values) {
      const scaled = Math.fround(value * inverse);
      const below = Math.floor(scaled);
      const rest = scaled - below;
      const up = rest > 0.5 || (rest === 0.5 && below % 2 !== 0);
      row.setInt16(at, up ? below + 1 : below, true);
      at += 2;
    }
  }
  return new Uint8Array(row.buffer);
}

/** Sizes of latent attention, and its query f32[heads, latentDim + ropeDim - unscored]. */
export interface LatentQuery {
  heads: number;
  latentDim: number;
  ropeDim: number;
  /** Values at a row's start that scores leave out; default 0. */
  unscored?: number;
  scale: number;
  q: Float32Array;
}

/**
 * Weights [heads][positions] of the query over f32 rows [positions, latentDim + ropeDim].
 */
export function referenceLatentWeights(query: LatentQuery, rows: Float32Array): number[][] {
  const { unscored = 0 } = query;
  const dims = query.latentDim + query.ropeDim;
  const scored = dims - unscored;
  return Array.from({ length: query.heads }, (_, h) => {
    const scores = new Float64Array(rows.length / dims);
    for (let t = 0; t < scores.length; t++) {
      let sum = 0;
      for (let d = 0; d < scored; d++) {
        sum += query.q[h * scored + d] * rows[t * dims + unscored + d];
      }
      scores[t] = sum * query.scale;
    }
    return referenceSoftmax(scores);
  });
}

/** [heads, latentDim]: the rows' latents, summed with these weights. */
export function referenceLatentOutput(
  query: LatentQuery,
  weights: number[][],
  rows: Float32Array,
): Float64Array {
  const { latentDim } = query;
  const dims = latentDim + query.ropeDim;
  const out = new Float64Array(query.heads * latentDim);
  weights.forEach((row, h) => {
    row.forEach((weight, t) => {
      for (let d = 0; d < latentDim; d++) out[h * latentDim + d] += weight * rows[t * dims + d];
    });
  });
  return out;
}

/** Operands of attention in expanded form; shapes as in assembly/attention/expanded.ts. */
export interface ExpandedInput {
  queries: number;
  heads: number;
  nopeDim: number;
  ropeDim: number;
  valueDim: number;
  scale: number;
  queryPosition: number;
  positions: number;
  q: Float32Array;
  kv: Float32Array;
  kPe: Float32Array;
}

/**
 * Causal attention in expanded form, [queries, heads, valueDim], and the largest error of f32: a
 * score is off by at most dims / 4 + 8 roundings of its terms, a weight by e to twice that, and the
 * sums by 2 roundings per position.
 */
export function referenceExpanded(input: ExpandedInput): {
  expected: Float64Array;
  bound: Float64Array;
} {
  const { queries, heads, nopeDim, ropeDim, valueDim, scale, queryPosition } = input;
  const qkDim = nopeDim + ropeDim;
  const kvDim = nopeDim + valueDim;
  const expected = new Float64Array(queries * heads * valueDim);
  const bound = new Float64Array(queries * heads * valueDim);
  for (let i = 0; i < queries; i++) {
    for (let h = 0; h < heads; h++) {
      const q = input.q.subarray((i * heads + h) * qkDim, (i * heads + h + 1) * qkDim);
      const seen = queryPosition + i + 1;
      let worst = 0;
      const scores = Array.from({ length: seen }, (_, t) => {
        let [sum, terms] = [0, 0];
        for (let d = 0; d < qkDim; d++) {
          const kv = input.kv[(t * heads + h) * kvDim + d];
          const product = q[d] * (d < nopeDim ? kv : input.kPe[t * ropeDim + d - nopeDim]);
          sum += product;
          terms += Math.abs(product);
        }
        worst = Math.max(worst, (qkDim / 4 + 8) * 2 ** -24 * terms * scale);
        return sum * scale;
      });
      const error = Math.expm1(2 * worst) + (2 * seen + 16) * 2 ** -24;
      referenceSoftmax(scores).forEach((weight, t) => {
        for (let d = 0; d < valueDim; d++) {
          const value = input.kv[(t * heads + h) * kvDim + nopeDim + d];
          expected[(i * heads + h) * valueDim + d] += weight * value;
          bound[(i * heads + h) * valueDim + d] += error * weight * Math.abs(value);
        }
      });
    }
  }
  return { expected, bound };
}
