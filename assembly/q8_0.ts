// q8_0 rows of the latent cache as i16 rows (layouts in cache.ts), for integer attention.
import { I16_HEADER, I16_MAX, Q8_0_BLOCK } from "./cache";
import { f16ToF32 } from "./f16";

/**
 * i16 rows at target = q8_0 rows at source, within one unit of the row's scale; returns the end of
 * source. Requires |q| <= 127.
 */
export function unpackQ8_0(
  target: usize,
  source: usize,
  count: i32,
  latentDim: i32,
  ropeDim: i32,
): usize {
  const ropeValues = I16_HEADER + (<usize>latentDim << 1);
  const rowBytes = ropeValues + (<usize>ropeDim << 1);
  const latentBytes = (<usize>latentDim >> 5) * Q8_0_BLOCK;
  const ropeBytes = (<usize>ropeDim >> 5) * Q8_0_BLOCK;
  for (let t = 0; t < count; t++, target += rowBytes) {
    store<f32>(target, unpackPart(target + I16_HEADER, source, latentBytes));
    source += latentBytes;
    store<f32>(target, unpackPart(target + ropeValues, source, ropeBytes), 4);
    source += ropeBytes;
  }
  return source;
}

/** i16 values over the returned scale from blocks of `bytes` bytes. */
function unpackPart(target: usize, source: usize, bytes: usize): f32 {
  const end = source + bytes;
  let largest: f32 = 0;
  for (let block = source; block < end; block += Q8_0_BLOCK) {
    largest = max(largest, abs(f16ToF32(load<u16>(block))));
  }
  // A value 127 of the block with the largest scale becomes 8191: q * 256 * factor / 2^15 with a
  // factor of 8191/127 * 128 = 8255.5, rounded down.
  const inverse: f32 = largest > 0 ? 8255 / largest : 0;
  for (; source < end; source += Q8_0_BLOCK) {
    const factor = nearest(f16ToF32(load<u16>(source)) * inverse);
    const factors = i16x8.splat(<i16>factor);
    for (let j: usize = 0; j < 32; j += 8, target += 16) {
      const words = i16x8.shl(v128.load8x8_s(source + 2 + j), 8);
      v128.store(target, i16x8.q15mulr_sat_s(words, factors));
    }
  }
  return largest * (128 / <f32>8255);
}
