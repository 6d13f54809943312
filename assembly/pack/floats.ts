// GGUF rows of float types, checked and copied into place.

/** Exponent bits of a float type; a weight with all of them set is not finite. */
// @ts-ignore: decorator
@inline
function exponentMask(type: i32): u32 {
  return type == 0 ? 0x7f800000 : type == 1 ? 0x7c00 : 0x7f80;
}

/**
 * Copies n floats of a GGUF float type (id 0, 1 or 30). Returns 1 when one is not finite, else 0.
 */
export function packFloats(to: usize, src: usize, type: i32, n: i32): i32 {
  const mask = exponentMask(type);
  let bad = 0;
  if (type == 0) {
    for (const end = src + (<usize>n << 2); src < end; src += 4, to += 4) {
      const bits = load<u32>(src);
      store<u32>(to, bits);
      bad |= i32((bits & mask) == mask);
    }
    return bad;
  }
  for (const end = src + (<usize>n << 1); src < end; src += 2, to += 2) {
    const bits = load<u16>(src);
    store<u16>(to, bits);
    bad |= i32((<u32>bits & mask) == mask);
  }
  return bad;
}

/**
 * Rows of a GGUF float tensor [outputs, neurons] into a float slab [neurons, outputs]. Returns 1
 * when a weight is not finite, else 0.
 *
 *   src    `count` rows as in the file: outputs first .. first + count
 *   shape  i32 neurons, i32 outputs
 */
export function packFloatSlab(
  to: usize,
  src: usize,
  type: i32,
  first: i32,
  count: i32,
  shape: usize,
): i32 {
  const neurons = <usize>load<i32>(shape);
  const outputs = <usize>load<i32>(shape, 4);
  const mask = exponentMask(type);
  const log: usize = type == 0 ? 2 : 1;
  let bad = 0;
  for (let j: usize = 0; j < neurons; j++) {
    let p = to + ((j * outputs + <usize>first) << log);
    let s = src + (j << log);
    for (let o = 0; o < count; o++, p += <usize>1 << log, s += neurons << log) {
      let bits: u32;
      if (log == 2) {
        bits = load<u32>(s);
        store<u32>(p, bits);
      } else {
        bits = load<u16>(s);
        store<u16>(p, <u16>bits);
      }
      bad |= i32((bits & mask) == mask);
    }
  }
  return bad;
}
