// How this engine's relaxed dot reads bit 7 of its second operand: as u8 where x86 has it in one
// instruction, as s8 on Arm (src/kernels/probe.ts finds it out). Weights lie in memory as the dot
// reads them, so that no inner loop converts: bytes of Q8 are u8 (value + 128) for the one and s8
// for the other, and of Q4 and Q4K, whose whole bytes are an operand too, bit 7 is turned.
//
// The first operand of a dot is never -128: the engines that read s8 may sum two products in 16
// bits, V8 in its first compiler only, and results would change while a program runs.

/** 0 where the dot reads u8, -1 where it reads s8. Immutable: an instance is made for a reading. */
// @ts-ignore: decorator
@external("env", "dotReading")
declare const reading: i32;

/** No bits, and all. In memory: what kernels load where they use it takes no register. */
const MASKS: usize = memory.data<u64>([0, 0, -1, -1], 16);

/** What cells differ by from those for u8: 0, or bit 7 of each byte. */
// @ts-ignore: decorator
@inline
export function dotFlip(): i32 {
  return ASC_FEATURE_RELAXED_SIMD ? reading & 0x80 : 0;
}

/** Address of 16 bytes: all bits where the dot reads s8, else none. */
// @ts-ignore: decorator
@inline
export function signedMask(): usize {
  return ASC_FEATURE_RELAXED_SIMD ? MASKS + <usize>(reading & 16) : MASKS;
}

/** What a dot with cells of u8 (value + 128) is corrected by, for a sum of 1: 0 for s8. */
// @ts-ignore: decorator
@inline
export function cellBias(): i32 {
  return dotFlip() ? 0 : -128;
}

/** Cells as of an engine that reads u8. */
// @ts-ignore: decorator
@inline
export function cellsAsU8(cells: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? v128.xor(cells, i8x16.splat(<i8>dotFlip())) : cells;
}

/** Half a cell of Q8 as u8 (value + 128) in i16. */
// @ts-ignore: decorator
@inline
export function loadCellU8(cell: usize, offset: usize = 0): v128 {
  const values = v128.load8x8_u(cell + offset);
  return ASC_FEATURE_RELAXED_SIMD ? v128.xor(values, i16x8.splat(<i16>dotFlip())) : values;
}
