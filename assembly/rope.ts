// Rotary position embedding of adjacent pairs: (x[2i], x[2i+1]), as PLM's raw weights expect.

/**
 * (x[2i], x[2i+1]) = (x[2i] cos_i - x[2i+1] sin_i, x[2i] sin_i + x[2i+1] cos_i), head by head
 *
 *   x       f32[n] at x + h * headStride for each head h   in and out
 *   table   f32[n]   cos_0, sin_0, cos_1, sin_1, ... of one position
 *
 * Requires n even. headStride is in elements. Any alignment.
 */
export function ropeF32(x: usize, table: usize, heads: i32, headStride: i32, n: i32): void {
  rotate(x, table, heads, headStride, n, false);
}

/** ropeF32, or its inverse. */
// @ts-ignore: decorator
@inline
export function rotate(
  x: usize,
  table: usize,
  heads: i32,
  headStride: i32,
  n: i32,
  back: bool,
): void {
  const vectorBytes = <usize>(n & ~3) << 2;
  const bytes = <usize>n << 2;
  const negated = back
    ? i32x4(0, <i32>0x80000000, 0, <i32>0x80000000)
    : i32x4(<i32>0x80000000, 0, <i32>0x80000000, 0);
  for (let h = 0; h < heads; h++) {
    let i: usize = 0;
    for (; i < vectorBytes; i += 16) {
      const v = v128.load(x + i);
      const t = v128.load(table + i);
      const cos = v128.shuffle<i32>(t, t, 0, 0, 2, 2);
      const sin = v128.xor(v128.shuffle<i32>(t, t, 1, 1, 3, 3), negated);
      const swapped = v128.shuffle<i32>(v, v, 1, 0, 3, 2);
      v128.store(x + i, f32x4.add(f32x4.mul(v, cos), f32x4.mul(swapped, sin)));
    }
    if (i < bytes) {
      const a = load<f32>(x + i);
      const b = load<f32>(x + i, 4);
      const cos = load<f32>(table + i);
      const up = load<f32>(table + i, 4);
      const sin = back ? -up : up;
      store<f32>(x + i, a * cos - b * sin);
      store<f32>(x + i, a * sin + b * cos, 4);
    }
    x += <usize>headStride << 2;
  }
}
