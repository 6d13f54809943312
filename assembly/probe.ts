// What this engine's relaxed dot does where the specification leaves it open.

import { dot8 } from "./lanes";

/**
 * The relaxed dot of operands in memory, as the kernels use it.
 *
 *   to    i32[4]    in: the accumulator; out: the result
 *   a     s8[16]
 *   b     u8[16]
 */
export function probeDot(to: usize, a: usize, b: usize): void {
  v128.store(to, dot8(v128.load(a), v128.load(b), v128.load(to)));
}
