// Packed weights: what the loader writes and the linear kernels read.
//
// Two arrangements, each for every packed type:
//
//   panels   for y = W x: 8 rows together, their blocks of 32 inputs one after another, so that a
//            product reads one stream from front to back. Values lie in cells of 4 rows x 4 inputs:
//
//              cells of a block (256 values):  input   0..3          4..7         ...  28..31
//                                              rows 0-3 | rows 4-7 | 0-3 | 4-7 |  ...
//              a cell (16 values):             r0: i0 i1 i2 i3 | r1: i0 i1 i2 i3 | r2: .. | r3: ..
//
//            4-bit cells share 16 bytes: rows 0-3 in the low nibbles, rows 4-7 in the high ones.
//            6-bit values add 64 bytes a block with their high two bits: 16 bytes for 8 inputs,
//            from the lowest bits up: inputs 0-3 rows 0-3, rows 4-7, inputs 4-7 rows 0-3, rows 4-7.
//
//   slabs    for a transposed, sparse W (the down-projection): first every block's scales, then
//            each neuron's values for all n outputs in one run, so that the scales are one stream
//            and a zero neuron is never touched. 4-bit runs: 32 outputs in 16 bytes, outputs 0-15
//            in the low nibbles, 16-31 in the high ones. 6-bit runs: n/2 such bytes, then n/4 with
//            the high two bits, 64 outputs in 16 bytes, lowest first.
//
//   type    value         scale, minimum     a panel's block                 bytes of 32 x 8
//   Q8      u8 - 128      f16, -             f16 d[8] | 256                  272
//   Q8M     int8          f16, f16           f16 d[8] | f16 m[8] | 256       288
//   Q4      nibble - 8    f16, -             f16 d[8] | 128                  144
//   Q4M     nibble        f16, f16           f16 d[8] | f16 m[8] | 128       160
//   Q4K     nibble        d * u8, -dm * u8   u8 s[8] | u8 m[8] | 128         144, and 32 for 256
//   Q8K     int8          d * i8, -dm * u8   2 x (i8 s[8] | u8 m[8] | 128)   288, and 32 for 256
//   Q6K     6 bits - 32   d * i8             i8 s[2][8] | 128 | 64           208, and 16 for 256
//
// K types begin 256 inputs with f16 d[8] (and f16 dm[8]); Q8K and Q6K scale 16 inputs each. Slabs
// have the same scales with n outputs instead of the 8 rows. Every f16 here is stored times 2^10
// (packScale in scales.ts). A value is q * scale + minimum; slabs of Q8 hold q as int8, panels as
// the relaxed dot reads it: the table says how for u8, and reading.ts what differs for s8. Float
// types keep the file's rows; a float slab has one row of n floats per neuron.

export const Q8: i32 = 0;
export const Q8M: i32 = 1;
export const Q4: i32 = 2;
export const Q4M: i32 = 3;
export const Q4K: i32 = 4;
export const Q8K: i32 = 5;
export const Q6K: i32 = 6;
export const F32: i32 = 7;
export const F16: i32 = 8;
export const BF16: i32 = 9;

/** Bytes of 256 inputs (K types) or 32 inputs (the others) of an 8-row panel. */
export function panelBlockBytes(type: i32): usize {
  if (type == Q8) return 272;
  if (type == Q8M) return 288;
  if (type == Q4) return 144;
  if (type == Q4M) return 160;
  if (type == Q4K) return 32 + 8 * 144;
  if (type == Q8K) return 32 + 8 * 288;
  return 16 + 8 * 208;
}

/** Bytes of an 8-row panel of cols inputs. */
export function panelBytes(type: i32, cols: i32): usize {
  return (<usize>(type < Q4K ? cols >> 5 : cols >> 8)) * panelBlockBytes(type);
}

//   ProductShape, 20 bytes: what a product of several tokens is given
//   +---------------------------------------------------------------+
//   |  0  i32  n, tokens                                            |
//   |  4  i32  rows: outputs                                        |
//   |  8  i32  cols: inputs                                         |
//   | 12  i32  stride: outputs from one token's to the next's       |
//   | 16  i32  planes: those of the activations (planes.ts)         |
//   +---------------------------------------------------------------+
export const ROWS: usize = 4;
export const COLS: usize = 8;
export const STRIDE: usize = 12;
export const PLANES: usize = 16;

/** 16 times 15, in memory: V8 rebuilds a constant at every use, a loaded one stays. */
export const NIBBLES: usize = memory.data<u8>([
  15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,
], 16);

// An unpacked panel, whatever its type was: per 32 inputs f32 scale[2][8] and f32 minimum[2][8],
// one for each half of 16 inputs, then 256 int8 in cells.

/** Bytes of 32 inputs of an unpacked panel. */
export const UNPACKED_BLOCK: usize = 384;
/** Where a block's cells begin. */
export const UNPACKED_CELLS: usize = 128;

/** Whether the two halves of a block have scales of their own. */
export function hasHalves(type: i32): bool {
  return type == Q8K || type == Q6K;
}

/** Whether the type has minimums. */
export function hasMinimums(type: i32): bool {
  return type == Q8M || type == Q4M || type == Q4K || type == Q8K;
}
