// GGUF's quantised blocks (drawn in src/format/dtypes.ts) as plain int8 values and header fields.

import { Q4, Q4K, Q4M, Q6K, Q8, Q8K, Q8M } from "./layout";

// GGUF tensor type ids.
export const Q4_0: i32 = 2;
const Q4_1: i32 = 3;
const Q5_0: i32 = 6;
const Q5_1: i32 = 7;
export const Q8_0: i32 = 8;
const Q2_K: i32 = 10;
const Q3_K: i32 = 11;
const Q4_K: i32 = 12;
const Q5_K: i32 = 13;

/** The packed type that holds a GGUF type. */
export function packedType(type: i32): i32 {
  if (type == Q8_0 || type == Q5_0) return Q8;
  if (type == Q5_1) return Q8M;
  if (type == Q4_0) return Q4;
  if (type == Q4_1) return Q4M;
  if (type == Q4_K) return Q4K;
  if (type == Q2_K || type == Q3_K || type == Q5_K) return Q8K;
  return Q6K;
}

/** Values in a block. */
export function blockSize(type: i32): i32 {
  return type < Q2_K ? 32 : 256;
}

/** Bytes of a block. */
export function blockBytes(type: i32): usize {
  if (type == Q4_0) return 18;
  if (type == Q4_1) return 20;
  if (type == Q5_0) return 22;
  if (type == Q5_1) return 24;
  if (type == Q8_0) return 34;
  if (type == Q2_K) return 84;
  if (type == Q3_K) return 110;
  if (type == Q4_K) return 144;
  if (type == Q5_K) return 176;
  return 210;
}

/** Where a block's f16 scale lies. Its minimum (dmin), where it has one, is 2 bytes on. */
export function scaleOffset(type: i32): usize {
  if (type == Q2_K) return 80;
  if (type == Q3_K) return 108;
  return type <= Q5_K ? 0 : 208;
}

/** Whether a block has a second f16: a minimum, or the scale of the minimums. */
export function hasMinimum(type: i32): bool {
  return type == Q4_1 || type == Q5_1 || type == Q2_K || type == Q4_K || type == Q5_K;
}

/** Integer scale of the 16 values at 16 * i of a K block. */
export function subScale(type: i32, block: usize, i: i32): i32 {
  if (type == Q2_K) return load<u8>(block + <usize>i) & 15;
  if (type == Q3_K) {
    const s = block + 96;
    const byte = <i32>load<u8>(s + <usize>(i & 7));
    const low = i < 8 ? byte & 15 : byte >> 4;
    return (low | (((<i32>load<u8>(s + 8 + <usize>(i & 3)) >> (2 * (i >> 2))) & 3) << 4)) - 32;
  }
  if (type == Q4_K || type == Q5_K) {
    const s = block + 4;
    const j = <usize>(i >> 1);
    if (j < 4) return load<u8>(s + j) & 63;
    return (load<u8>(s + j, 4) & 15) | ((load<u8>(s + j - 4) >> 6) << 4);
  }
  return <i32>load<i8>(block + 192 + <usize>i);
}

/** Integer minimum of the 16 values at 16 * i of a K block; 0 where the type has none. */
export function subMinimum(type: i32, block: usize, i: i32): i32 {
  if (type == Q2_K) return load<u8>(block + <usize>i) >> 4;
  if (type != Q4_K && type != Q5_K) return 0;
  const s = block + 4;
  const j = <usize>(i >> 1);
  if (j < 4) return load<u8>(s + j, 4) & 63;
  return (load<u8>(s + j, 4) >> 4) | ((load<u8>(s + j) >> 6) << 4);
}

/**
 * The integers of one block, in order, as its packed type holds them: Q8_0, Q5_0 and Q3_K signed,
 * the others as stored, from 0.
 */
export function decodeBlock(to: usize, block: usize, type: i32): void {
  if (type == Q8_0) {
    v128.store(to, v128.load(block, 2));
    v128.store(to, v128.load(block, 18), 16);
  } else if (type == Q4_0) decodeNibbles(to, block + 2);
  else if (type == Q4_1) decodeNibbles(to, block + 4);
  else if (type == Q5_0) decodeFives(to, block + 2, 16);
  else if (type == Q5_1) decodeFives(to, block + 4, 0);
  else if (type == Q2_K) decodeTwos(to, block + 16, 0);
  else if (type == Q3_K) decodeTwos(to, block + 32, block);
  else if (type == Q4_K) decodeLongNibbles(to, block + 16, 0);
  else if (type == Q5_K) decodeLongNibbles(to, block + 48, block + 16);
  else decodeSixes(to, block);
}

/** 16 bytes: values 0-15 low, 16-31 high. */
function decodeNibbles(to: usize, q: usize): void {
  const v = v128.load(q);
  v128.store(to, v128.and(v, i8x16.splat(15)));
  v128.store(to, i8x16.shr_u(v, 4), 16);
}

/** u32 of fifth bits, then nibbles. */
function decodeFives(to: usize, q: usize, bias: i32): void {
  const high = load<u32>(q);
  decodeNibbles(to, q + 4);
  for (let i: usize = 0; i < 32; i++) {
    const bit = ((high >> <u32>i) & 1) << 4;
    store<u8>(to + i, <u8>(<i32>(load<u8>(to + i) | bit) - bias));
  }
}

/**
 * 2-bit values, 4 to a byte, 32 bytes for 128; Q3_K's hmask takes 4 from a value without its bit.
 */
function decodeTwos(to: usize, q: usize, hmask: usize): void {
  const three = i8x16.splat(3);
  const one = i8x16.splat(1);
  for (let i = 0; i < 16; i++, to += 16) {
    const offset = <usize>((i & 1) << 4);
    const shift = ((i >> 1) & 3) << 1;
    const v = v128.load(q + (<usize>(i >> 3) << 5) + offset);
    let value = v128.and(i8x16.shr_u(v, shift), three);
    if (hmask != 0) {
      const bit = v128.and(i8x16.shr_u(v128.load(hmask + offset), i >> 1), one);
      value = i8x16.sub(value, i8x16.shl(i8x16.sub(one, bit), 2));
    }
    v128.store(to, value);
  }
}

/** 32 bytes for 64 values, low nibbles first; Q5_K's qh adds a fifth bit. */
function decodeLongNibbles(to: usize, q: usize, qh: usize): void {
  const fifteen = i8x16.splat(15);
  const one = i8x16.splat(1);
  for (let i = 0; i < 16; i++, to += 16) {
    const offset = <usize>((i & 1) << 4);
    const v = v128.load(q + (<usize>(i >> 2) << 5) + offset);
    let value = (i & 2) == 0 ? v128.and(v, fifteen) : i8x16.shr_u(v, 4);
    if (qh != 0) {
      const bit = v128.and(i8x16.shr_u(v128.load(qh + offset), i >> 1), one);
      value = v128.or(value, i8x16.shl(bit, 4));
    }
    v128.store(to, value);
  }
}

/** Q6_K: ql[128], qh[64]; 64 and 32 bytes for 128 values. */
function decodeSixes(to: usize, block: usize): void {
  const fifteen = i8x16.splat(15);
  const pair = i8x16.splat(3);
  for (let i = 0; i < 16; i++, to += 16) {
    const offset = <usize>((i & 1) << 4);
    const quarter = (i >> 1) & 3;
    const half = <usize>(i >> 3);
    const v = v128.load(block + (half << 6) + (<usize>(quarter & 1) << 5) + offset);
    const low = quarter < 2 ? v128.and(v, fifteen) : i8x16.shr_u(v, 4);
    const h = v128.load(block + 128 + (half << 5) + offset);
    const high = v128.and(i8x16.shr_u(h, quarter << 1), pair);
    v128.store(to, v128.or(low, i8x16.shl(high, 4)));
  }
}
