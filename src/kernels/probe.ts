/** Finds out what this engine's relaxed dot does where WebAssembly leaves it open. */
import type { RelaxedKernels } from "./kernels.js";

/**
 * How an engine reads the relaxed dot's second operand where bit 7 is set: as u8 (x86 with
 * AVX-VNNI), as s8 (Arm), or with sums of two products saturated to 16 bits (other x86). `wrong`:
 * even operands that the specification defines give another result (Node 20 behind its flag).
 *
 * `s8` is exact unless the first operand is -128: where it is, engines may sum two products in 16
 * bits, V8 in its first compiler only. The kernels never have it there.
 */
export type DotReading = UsableReading | "saturating" | "wrong";

/** The readings that the relaxed kernels can be instantiated for. */
export type UsableReading = "u8" | "s8";

const SEVEN_BITS = [0, 127, 1, 64];
const EIGHT_BITS = [255, 128, 254, 200];

/** Products of the extremes, in every lane, as this engine's relaxed dot sums them. */
export function probeRelaxedDot(
  kernels: RelaxedKernels,
  memory: WebAssembly.Memory,
  scratchPtr: number,
): DotReading {
  const toPtr = scratchPtr;
  const aPtr = scratchPtr + 16;
  const bPtr = scratchPtr + 32;
  const run = (a: number[], b: number[], start: number): number[] => {
    const to = new Int32Array(memory.buffer, toPtr, 4).fill(start);
    new Int8Array(memory.buffer, aPtr, 16).set([...a, ...a, ...a, ...a]);
    new Uint8Array(memory.buffer, bPtr, 16).set([...b, ...b, ...b, ...b]);
    kernels.probeDot(toPtr, aPtr, bPtr);
    return [...to];
  };
  const agrees = (bs: number[], read: (b: number) => number, least = -128): boolean => {
    for (const a of [least, -1, 127]) {
      for (const b of bs) {
        const expected = 1000 + 4 * a * read(b);
        if (run([a, a, a, a], [b, b, b, b], 1000).some((sum) => sum !== expected)) return false;
      }
    }
    return true;
  };
  if (!agrees(SEVEN_BITS, (b) => b)) return "wrong";
  if (agrees(EIGHT_BITS, (b) => b)) return "u8";
  return agrees(EIGHT_BITS, (b) => b - 256, -127) ? "s8" : "saturating";
}
