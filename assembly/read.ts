// A plain read, for benches to compare with: the rate of memory without computation.

/**
 * Reads memory once, front to back, and returns the sum of its i32 words, so that no compiler
 * removes the read.
 *
 *   x   u8[bytes]
 *
 * bytes is a multiple of 64; any alignment.
 */
export function readBytes(x: usize, bytes: usize): i32 {
  let sum0 = i32x4.splat(0);
  let sum1 = i32x4.splat(0);
  let sum2 = i32x4.splat(0);
  let sum3 = i32x4.splat(0);
  for (const end = x + bytes; x < end; x += 64) {
    sum0 = i32x4.add(sum0, v128.load(x));
    sum1 = i32x4.add(sum1, v128.load(x, 16));
    sum2 = i32x4.add(sum2, v128.load(x, 32));
    sum3 = i32x4.add(sum3, v128.load(x, 48));
  }
  const sum = i32x4.add(i32x4.add(sum0, sum1), i32x4.add(sum2, sum3));
  return (
    i32x4.extract_lane(sum, 0) +
    i32x4.extract_lane(sum, 1) +
    i32x4.extract_lane(sum, 2) +
    i32x4.extract_lane(sum, 3)
  );
}
