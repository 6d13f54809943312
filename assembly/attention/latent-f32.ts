// Attention of one token over one tile of f32 rows (latent.ts).
import { LATENT_DIM, ROPE_DIM, SCALE, STRIDE, UNSCORED } from "./latent-shape";
import { SCORE_ROW, SOFTMAX_STATE, softmaxTile } from "./tile";
import { scoreTileF32 } from "./tile-f32-scores";
import { valueTileF32 } from "./tile-f32-values";

/**
 * Adds a tile of positions.
 *
 *   out      f32[heads, latentDim]                        in and out: sums so far
 *   q        f32[heads, latentDim + ropeDim - unscored]
 *   states   softmax states[heads]                        in and out
 *   rows     f32 rows[count]
 *   shape    LatentShape
 *   scores   score rows[heads]                            scratch
 *
 * Requires 1 <= count <= 32.
 */
export function attendTileF32(
  out: usize,
  q: usize,
  states: usize,
  rows: usize,
  count: i32,
  shape: usize,
  scores: usize,
): void {
  const heads = load<i32>(shape);
  const latentDim = load<i32>(shape, LATENT_DIM);
  const unscored = load<i32>(shape, UNSCORED);
  const scored = latentDim + load<i32>(shape, ROPE_DIM) - unscored;
  const scale = load<f32>(shape, SCALE);
  const stride = <usize>load<i32>(shape, STRIDE);
  const keys = rows + (<usize>unscored << 2);
  scoreTileF32(scores, q, <usize>scored << 2, heads, keys, stride, count, scored);
  for (let h: usize = 0; h < <usize>heads; h++) {
    softmaxTile(scores + h * SCORE_ROW, states + h * SOFTMAX_STATE, count, scale);
  }
  valueTileF32(out, <usize>latentDim << 2, scores, heads, rows, stride, count, latentDim);
}
