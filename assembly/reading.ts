// How this engine's relaxed dot reads bit 7 of its second operand: as u8 where x86 has it in one
// instruction, as s8 on Arm (src/kernels/probe.ts finds it out). Weights are u8 (value + 128) for
// the one and s8 for the other, in memory and in every operand, so that no inner loop converts.
//
// The first operand of a dot is never -128: the engines that read s8 may sum two products in 16
// bits, V8 in its first compiler only, and results would change while a program runs.

/** 0 where the dot reads u8, -1 where it reads s8. Immutable: an instance is made for a reading. */
// @ts-ignore: decorator
@external("env", "dotReading")
declare const reading: i32;

/** What makes u8 of the cells of Q8 panels, which are as the dot reads them: 0, or bit 7. */
// @ts-ignore: decorator
@inline
export function dotFlip(): i32 {
  return ASC_FEATURE_RELAXED_SIMD ? reading & 0x80 : 0;
}

/** All bits where the dot reads s8, else none. */
// @ts-ignore: decorator
@inline
export function dotSigned(): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? i32x4.splat(reading) : i32x4.splat(0);
}

/** Half a cell of a Q8 panel as u8 (value + 128) in i16. */
// @ts-ignore: decorator
@inline
export function loadCellU8(cell: usize, offset: usize = 0): v128 {
  const values = v128.load8x8_u(cell + offset);
  return ASC_FEATURE_RELAXED_SIMD ? v128.xor(values, i16x8.splat(<i16>dotFlip())) : values;
}
