// Latent attention of one token in absorbed form, in 14-bit integers.
import { LATENT_DIM, ROPE_DIM, SCALE } from "./attention";
import { I16_HEADER, storeLatentI16 } from "./cache";
import { unpackQ8_0 } from "./q8_0";
import { finishSoftmax, SCORE_ROW, SOFTMAX_STATE, softmaxTile, startSoftmax, TILE } from "./tile";
import { scoreTileI16 } from "./tile-i16-scores";
import { valueTileI16, weightTileI16 } from "./tile-i16-values";

/**
 * attendLatentF32, on i16 rows, in 14-bit integers: a head's query over one scale for its latent
 * and one for its rope part, the weights of 32 positions over one scale a head.
 */
export function attendLatentI16(
  out: usize,
  q: usize,
  rows: usize,
  positions: i32,
  shape: usize,
  scratch: usize,
): void {
  attendInteger(out, q, rows, positions, shape, scratch, false);
}

/**
 * attendLatentF32, on q8_0 rows: each becomes an i16 row, within 1/8191 of its largest value, then
 * as attendLatentI16. Requires multiples of 32 and |q| <= 127, as storeLatentQ8_0 writes.
 */
export function attendLatentQ8_0(
  out: usize,
  q: usize,
  rows: usize,
  positions: i32,
  shape: usize,
  scratch: usize,
): void {
  attendInteger(out, q, rows, positions, shape, scratch, true);
}

function attendInteger(
  out: usize,
  q: usize,
  rows: usize,
  positions: i32,
  shape: usize,
  scratch: usize,
  blocks: bool,
): void {
  const heads = load<i32>(shape);
  const latentDim = load<i32>(shape, LATENT_DIM);
  const ropeDim = load<i32>(shape, ROPE_DIM);
  const scale = load<f32>(shape, SCALE);
  const rowBytes = I16_HEADER + (<usize>(latentDim + ropeDim) << 1);
  const outBytes = <usize>latentDim << 2;
  const scores = scratch;
  const states = scores + <usize>heads * SCORE_ROW;
  const query = states + <usize>heads * SOFTMAX_STATE;
  const scales = query + <usize>heads * rowBytes;
  const converted = scales + (<usize>TILE << 2);
  for (let h = 0; h < heads; h++) {
    const latent = q + (<usize>(h * (latentDim + ropeDim)) << 2);
    storeLatentI16(query + <usize>h * rowBytes, latent, latentDim, latent + outBytes, ropeDim);
  }
  memory.fill(out, 0, <usize>heads * outBytes);
  startSoftmax(states, heads);
  for (let first = 0; first < positions; first += TILE) {
    const count = min(TILE, positions - first);
    let tile = rows;
    if (blocks) {
      rows = unpackQ8_0(converted, rows, count, latentDim, ropeDim);
      tile = converted;
    } else {
      rows += <usize>count * rowBytes;
    }
    memory.fill(scales, 0, <usize>TILE << 2);
    for (let t = 0; t < count; t++) {
      store<f32>(scales + (<usize>t << 2), load<f32>(tile + <usize>t * rowBytes));
    }
    scoreTileI16(scores, query, heads, tile, count, latentDim, ropeDim);
    for (let h = 0; h < heads; h++) {
      const row = scores + <usize>h * SCORE_ROW;
      softmaxTile(row, states + <usize>h * SOFTMAX_STATE, count, scale);
      weightTileI16(row, scales, count);
    }
    const values = tile + I16_HEADER;
    valueTileI16(out, outBytes, scores, heads, values, rowBytes, count, latentDim);
  }
  for (let h = 0; h < heads; h++) {
    finishSoftmax(out + <usize>h * outBytes, states + <usize>h * SOFTMAX_STATE, latentDim);
  }
}
