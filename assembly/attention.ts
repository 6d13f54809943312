// Latent attention of one token in absorbed form: every head against the same rows of the cache.
import { I16_HEADER, storeLatentI16 } from "./cache";
import { loadF16 } from "./cache-load";
import { unpackQ8_0 } from "./q8_0";
import {
  finishSoftmax,
  SCORE_ROW,
  SOFTMAX_STATE,
  softmaxTile,
  startSoftmax,
  TILE,
} from "./tile";
import { scoreTileF32, valueTileF32 } from "./tile-f32";
import { scoreTileI16 } from "./tile-i16-scores";
import { valueTileI16, weightTileI16 } from "./tile-i16-values";

//   LatentShape, 16 bytes
//   +----------------------------------------------------+
//   |  0  i32  heads                                     |
//   |  4  i32  latentDim, kv_lora_rank                   |
//   |  8  i32  ropeDim, qk_rope_head_dim                 |
//   | 12  f32  scale, 1 / sqrt(qk_head_dim)              |
//   +----------------------------------------------------+
const LATENT_DIM: usize = 4;
const ROPE_DIM: usize = 8;
const SCALE: usize = 12;


/** Bytes of scratch that the attendLatent kernels need for this shape. */
export function attendLatentScratchBytes(heads: i32, latentDim: i32, ropeDim: i32): i32 {
  const dims = latentDim + ropeDim;
  const perHead = <i32>(SCORE_ROW + SOFTMAX_STATE + I16_HEADER) + 2 * dims;
  return heads * perHead + TILE * 4 + TILE * (<i32>I16_HEADER + 4 * dims);
}

/**
 * out_h = sum over t of softmax_t(scale q_h . row_t) latent_t
 *
 *   out       f32[heads, latentDim]             out
 *   q         f32[heads, latentDim + ropeDim]   absorbed query, then rotated q_pe
 *   rows      f32 rows[positions] of the cache (cache.ts)
 *   shape     LatentShape
 *   scratch   attendLatentScratchBytes bytes
 *
 * Requires heads >= 1, positions >= 1, latentDim and ropeDim multiples of 8, scratch 4-byte aligned;
 * out apart from the rest. Sums are f32 within a tile of 32 positions; the softmax's sum is f64.
 */
export function attendLatentF32(
  out: usize,
  q: usize,
  rows: usize,
  positions: i32,
  shape: usize,
  scratch: usize,
): void {
  attendFloat(out, q, rows, positions, shape, scratch, false);
}

/** attendLatentF32, on f16 rows; the same arithmetic. */
export function attendLatentF16(
  out: usize,
  q: usize,
  rows: usize,
  positions: i32,
  shape: usize,
  scratch: usize,
): void {
  attendFloat(out, q, rows, positions, shape, scratch, true);
}

function attendFloat(
  out: usize,
  q: usize,
  rows: usize,
  positions: i32,
  shape: usize,
  scratch: usize,
  half: bool,
): void {
  const heads = load<i32>(shape);
  const latentDim = load<i32>(shape, LATENT_DIM);
  const dims = latentDim + load<i32>(shape, ROPE_DIM);
  const scale = load<f32>(shape, SCALE);
  const rowBytes = <usize>dims << 2;
  const outBytes = <usize>latentDim << 2;
  const scores = scratch;
  const states = scores + <usize>heads * SCORE_ROW;
  const converted = states + <usize>heads * SOFTMAX_STATE;
  memory.fill(out, 0, <usize>heads * outBytes);
  startSoftmax(states, heads);
  for (let first = 0; first < positions; first += TILE) {
    const count = min(TILE, positions - first);
    let tile = rows;
    if (half) {
      loadF16(converted, rows, count * dims);
      tile = converted;
    }
    scoreTileF32(scores, q, rowBytes, heads, tile, rowBytes, count, dims);
    for (let h = 0; h < heads; h++) {
      softmaxTile(scores + <usize>h * SCORE_ROW, states + <usize>h * SOFTMAX_STATE, count, scale);
    }
    valueTileF32(out, outBytes, scores, heads, tile, rowBytes, count, latentDim);
    rows += <usize>count * (half ? rowBytes >> 1 : rowBytes);
  }
  for (let h = 0; h < heads; h++) {
    finishSoftmax(out + <usize>h * outBytes, states + <usize>h * SOFTMAX_STATE, latentDim);
  }
}

/**
 * attendLatentF32, on i16 rows, in integers of 14 bits: a head's query over one scale for its latent
 * part and one for its rope part, the weights of 32 positions over one scale a head.
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
 * attendLatentF32, on q8_0 rows: each becomes an i16 row within one unit of 1/8191 of its largest
 * value, then as attendLatentI16. Requires multiples of 32 and |q| <= 127, as storeLatentQ8_0 writes.
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
