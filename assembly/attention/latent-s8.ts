// Latent attention of one token in absorbed form over q8_0 rows, with the relaxed dot.
import { LATENT_DIM, ROPE_DIM, SCALE } from "./latent-f32";
import { Q8_0_BLOCK } from "./cache";
import { finishHeads, GROUP_SCORES, GROUP_STATE, startGroups, TILE_I16 } from "./tile-i16";
import { softmaxHeads } from "./tile-i16-softmax";
import { packQueriesS8, queryGroupBytes, scaleBytes, tileScratchBytes } from "./tile-s8";
import { readScales } from "./tile-s8-scales";
import { scoreTileS8 } from "./tile-s8-scores";
import { valueTileS8 } from "./tile-s8-values";

/** attendLatentQ8_0 for engines whose relaxed dot reads u8. */
export function attendS8(
  out: usize,
  q: usize,
  rows: usize,
  positions: i32,
  shape: usize,
  scratch: usize,
): void {
  const heads = load<i32>(shape);
  const latentBlocks = load<i32>(shape, LATENT_DIM) >> 5;
  const ropeBlocks = load<i32>(shape, ROPE_DIM) >> 5;
  const groups = (heads + 3) >> 2;
  const rowBytes = <usize>(latentBlocks + ropeBlocks) * Q8_0_BLOCK;
  const outBytes = <usize>latentBlocks << 7;
  const scores = scratch;
  const states = scores + <usize>groups * GROUP_SCORES;
  const queries = states + <usize>groups * GROUP_STATE;
  const tile = queries + <usize>groups * queryGroupBytes(latentBlocks, ropeBlocks);
  const padded = tile + scaleBytes(latentBlocks, ropeBlocks) + tileScratchBytes(rowBytes);
  packQueriesS8(queries, q, heads, latentBlocks, ropeBlocks, load<f32>(shape, SCALE));
  memory.fill(out, 0, <usize>heads * outBytes);
  startGroups(states, groups);
  for (let first = 0; first < positions; first += TILE_I16) {
    const count = min(TILE_I16, positions - first);
    const whole = (count + 7) & ~7;
    if (count != whole) {
      // Rows that fill up the last tile, and that no head sees.
      memory.copy(padded, rows, <usize>count * rowBytes);
      memory.fill(padded + <usize>count * rowBytes, 0, <usize>(whole - count) * rowBytes);
      rows = padded;
    }
    readScales(tile, rows, whole, latentBlocks, ropeBlocks);
    scoreTileS8(scores, queries, groups, rows, tile, whole, latentBlocks, ropeBlocks);
    softmaxHeads(scores, states, groups, whole, count, tile, 4);
    valueTileS8(out, scores, heads, rows, tile, whole, latentBlocks, ropeBlocks);
    rows += <usize>count * rowBytes;
  }
  finishHeads(out, outBytes, states, heads, latentBlocks << 5);
}
