// Latent attention of one token in absorbed form: every head against the same rows of the cache.
// Here in f32; latent-i16.ts has the integer form.
import { finishSoftmax, SCORE_ROW, SOFTMAX_STATE, softmaxTile, startSoftmax, TILE } from "./tile";
import { scoreTileF32 } from "./tile-f32-scores";
import { valueTileF32 } from "./tile-f32-values";

//   LatentShape, 16 bytes
//   +----------------------------------------------------+
//   |  0  i32  heads                                     |
//   |  4  i32  latentDim, kv_lora_rank                   |
//   |  8  i32  ropeDim, qk_rope_head_dim                 |
//   | 12  f32  scale, 1 / sqrt(qk_head_dim)              |
//   +----------------------------------------------------+
export const LATENT_DIM: usize = 4;
export const ROPE_DIM: usize = 8;
export const SCALE: usize = 12;

/**
 * out_h = sum over t of softmax_t(scale q_h . row_t) latent_t
 *
 *   out       f32[heads, latentDim]             out
 *   q         f32[heads, latentDim + ropeDim]   absorbed query, then rotated q_pe
 *   rows      f32 rows[positions] of the cache (cache.ts)
 *   shape     LatentShape
 *   scratch   attendLatentScratchBytes bytes (src/kernels/packed.ts)
 *
 * Requires heads >= 1, positions >= 1, latentDim and ropeDim multiples of 8; out and scratch apart
 * from each other and the rest. Any alignment. The softmax's sum is f64, all else f32.
 */
export function attendLatentF32(
  out: usize,
  q: usize,
  rows: usize,
  positions: i32,
  shape: usize,
  scratch: usize,
): void {
  const heads = load<i32>(shape);
  const latentDim = load<i32>(shape, LATENT_DIM);
  const dims = latentDim + load<i32>(shape, ROPE_DIM);
  const scale = load<f32>(shape, SCALE);
  const rowBytes = <usize>dims << 2;
  const outBytes = <usize>latentDim << 2;
  const scores = scratch;
  const states = scores + <usize>heads * SCORE_ROW;
  memory.fill(out, 0, <usize>heads * outBytes);
  startSoftmax(states, heads);
  for (let first = 0; first < positions; first += TILE) {
    const count = min(TILE, positions - first);
    scoreTileF32(scores, q, rowBytes, heads, rows, rowBytes, count, dims);
    for (let h = 0; h < heads; h++) {
      softmaxTile(scores + <usize>h * SCORE_ROW, states + <usize>h * SOFTMAX_STATE, count, scale);
    }
    valueTileF32(out, outBytes, scores, heads, rows, rowBytes, count, latentDim);
    rows += <usize>count * rowBytes;
  }
  for (let h = 0; h < heads; h++) {
    finishSoftmax(out + <usize>h * outBytes, states + <usize>h * SOFTMAX_STATE, latentDim);
  }
}
