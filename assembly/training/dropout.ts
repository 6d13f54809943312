// Dropout (Srivastava et al. 2014): in training, elements are zeroed at random and the others
// scaled, so that the mean stays. A key and the element's number alone decide which: backward
// finds the same elements without a stored mask, and threads are independent.

/** 2^32 divided by the golden ratio, odd: spreads consecutive numbers over all words. */
const GOLDEN: i32 = 0x9e3779b9;

/**
 * x[i] = 0 where a random 32-bit word of (key, first + i) is below `threshold`, else scale x[i]
 *
 *   x   f32[n]   in and out; n a multiple of 4
 *
 * The words are a counter's, mixed by MurmurHash3's (A. Appleby) final step. A NaN stays NaN or is
 * dropped.
 */
export function dropout(
  x: usize,
  n: i32,
  first: i32,
  key: i32,
  threshold: u32,
  scale: f32,
): void {
  const scales = f32x4.splat(scale);
  const keys = i32x4.splat(key);
  const least = i32x4.splat(threshold);
  const step = i32x4.splat(4 * GOLDEN);
  let counter = i32x4.mul(i32x4.add(i32x4.splat(first), i32x4(0, 1, 2, 3)), i32x4.splat(GOLDEN));
  for (const end = x + (<usize>n << 2); x < end; x += 16) {
    const kept = i32x4.ge_u(mix(i32x4.add(counter, keys)), least);
    v128.store(x, v128.and(f32x4.mul(v128.load(x), scales), kept));
    counter = i32x4.add(counter, step);
  }
}

/** Makes every bit of a word depend on all of its bits: the final step of MurmurHash3. */
// @ts-ignore: decorator
@inline
function mix(word: v128): v128 {
  let w = v128.xor(word, i32x4.shr_u(word, 16));
  w = i32x4.mul(w, i32x4.splat(0x85ebca6b));
  w = v128.xor(w, i32x4.shr_u(w, 13));
  w = i32x4.mul(w, i32x4.splat(0xc2b2ae35));
  return v128.xor(w, i32x4.shr_u(w, 16));
}
