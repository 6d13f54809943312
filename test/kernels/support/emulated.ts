/**
 * The relaxed kernels for runtimes whose dot is not exact: each relaxed dot becomes a call of a
 * function that computes what the kernels expect of it, in plain SIMD.
 */
import wabtInit from "wabt";
import { kernelsBytes } from "../../../src/kernels/load.js";
import type { UsableReading } from "../../../src/kernels/probe.js";

const FEATURES = { simd: true, threads: true, relaxed_simd: true };

/** The sums of four products each of s8[16] and u8[16] or s8[16], plus i32[4]. */
const dot = (sign: "u" | "s"): string => `
  (func $exact_dot (param $a v128) (param $b v128) (param $acc v128) (result v128)
    (local $low v128) (local $high v128)
    local.get $a
    i16x8.extend_low_i8x16_s
    local.get $b
    i16x8.extend_low_i8x16_${sign}
    i32x4.dot_i16x8_s
    local.set $low
    local.get $a
    i16x8.extend_high_i8x16_s
    local.get $b
    i16x8.extend_high_i8x16_${sign}
    i32x4.dot_i16x8_s
    local.set $high
    local.get $low
    local.get $high
    i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27
    local.get $low
    local.get $high
    i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31
    i32x4.add
    local.get $acc
    i32x4.add)
`;

const emulated = new Map<UsableReading, Promise<Uint8Array<ArrayBuffer>>>();

/** The relaxed binary without relaxed instructions, its dot with a reading. */
export function emulatedRelaxed(reading: UsableReading = "u8"): Promise<Uint8Array<ArrayBuffer>> {
  const found = emulated.get(reading) ?? emulate(reading);
  emulated.set(reading, found);
  return found;
}

async function emulate(reading: UsableReading): Promise<Uint8Array<ArrayBuffer>> {
  const wabt = await wabtInit();
  const module = wabt.readWasm(kernelsBytes("relaxed"), FEATURES);
  const text = module.toText({ foldExprs: false, inlineExport: false });
  module.destroy();
  const calls = text
    .replaceAll("i32x4.relaxed_dot_i8x16_i7x16_add_s", "call $exact_dot")
    // They differ for -1 * -1 alone.
    .replaceAll("i16x8.relaxed_q15mulr_s", "i16x8.q15mulr_sat_s");
  const end = calls.lastIndexOf(")");
  const parsed = wabt.parseWat(
    "relaxed.wat",
    `${calls.slice(0, end)}${dot(reading === "u8" ? "u" : "s")})`,
    FEATURES,
  );
  const { buffer } = parsed.toBinary({});
  parsed.destroy();
  return Uint8Array.from(buffer);
}
