// The rows of the latent KV cache (layouts in cache.ts) as f32, for attention in expanded form.
import { I16_HEADER, Q8_0_BLOCK } from "./cache";
import { f16ToF32, f16ToF32x4 } from "../f16";

/**
 * latents, kPes = rows
 *
 *   latents   f32[count, latentDim]   out
 *   kPes      f32[count, ropeDim]     out
 *   rows      f32 rows[count]
 *
 * Any alignment; the results apart from rows.
 */
export function loadLatentF32(
  latents: usize,
  kPes: usize,
  rows: usize,
  count: i32,
  latentDim: i32,
  ropeDim: i32,
): void {
  const latentBytes = <usize>latentDim << 2;
  const ropeBytes = <usize>ropeDim << 2;
  for (let i = 0; i < count; i++) {
    memory.copy(latents, rows, latentBytes);
    memory.copy(kPes, rows + latentBytes, ropeBytes);
    latents += latentBytes;
    kPes += ropeBytes;
    rows += latentBytes + ropeBytes;
  }
}

/** f32[n] at target = f16[n] at source. */
export function loadF16(target: usize, source: usize, n: i32): void {
  const end = source + (<usize>n << 1);
  for (; source < end; source += 8, target += 16) {
    v128.store(target, f16ToF32x4(v128.load16x4_u(source)));
  }
}

/** loadLatentF32, from f16 rows; exact. */
export function loadLatentF16(
  latents: usize,
  kPes: usize,
  rows: usize,
  count: i32,
  latentDim: i32,
  ropeDim: i32,
): void {
  for (let i = 0; i < count; i++) {
    loadF16(latents, rows, latentDim);
    rows += <usize>latentDim << 1;
    loadF16(kPes, rows, ropeDim);
    rows += <usize>ropeDim << 1;
    latents += <usize>latentDim << 2;
    kPes += <usize>ropeDim << 2;
  }
}

/** f32[n] at target = i16[n] at source, times scale. */
function loadI16(target: usize, source: usize, n: i32, scale: f32): void {
  const scales = f32x4.splat(scale);
  const end = source + (<usize>n << 1);
  for (; source < end; source += 8, target += 16) {
    v128.store(target, f32x4.mul(f32x4.convert_i32x4_s(v128.load16x4_s(source)), scales));
  }
}

/** loadLatentF32, from i16 rows: q * scale, rounded once. */
export function loadLatentI16(
  latents: usize,
  kPes: usize,
  rows: usize,
  count: i32,
  latentDim: i32,
  ropeDim: i32,
): void {
  for (let i = 0; i < count; i++) {
    const latentScale = load<f32>(rows);
    const ropeScale = load<f32>(rows, 4);
    rows += I16_HEADER;
    loadI16(latents, rows, latentDim, latentScale);
    rows += <usize>latentDim << 1;
    loadI16(kPes, rows, ropeDim, ropeScale);
    rows += <usize>ropeDim << 1;
    latents += <usize>latentDim << 2;
    kPes += <usize>ropeDim << 2;
  }
}

/** f32[n] at target = the q8_0 blocks at source; returns their end. */
function loadQ8_0(target: usize, source: usize, n: i32): usize {
  for (let i = 0; i < n; i += 32, source += Q8_0_BLOCK) {
    const scales = f32x4.splat(f16ToF32(load<u16>(source)));
    for (let j: usize = 0; j < 32; j += 8, target += 32) {
      const words = v128.load8x8_s(source + 2 + j);
      const low = f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(words));
      const high = f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(words));
      v128.store(target, f32x4.mul(low, scales));
      v128.store(target, f32x4.mul(high, scales), 16);
    }
  }
  return source;
}

/** loadLatentF32, from q8_0 rows; exact. Requires multiples of 32. */
export function loadLatentQ8_0(
  latents: usize,
  kPes: usize,
  rows: usize,
  count: i32,
  latentDim: i32,
  ropeDim: i32,
): void {
  for (let i = 0; i < count; i++) {
    rows = loadQ8_0(latents, rows, latentDim);
    rows = loadQ8_0(kPes, rows, ropeDim);
    latents += <usize>latentDim << 2;
    kPes += <usize>ropeDim << 2;
  }
}
