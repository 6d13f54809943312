/** How many bits the activations of a product keep, where several tokens are computed at once. */

/**
 * `exact`: 14 bits or more everywhere. `balanced`: 8 bits where they matter least, so that the KL
 * from the float model stays below a fifth of llama.cpp's. `fast`: 8 bits everywhere, as llama.cpp
 * has, but where few multiplications bring much. One token at a time is always exact, and so are
 * runtimes without the relaxed dot.
 */
export type Precision = "exact" | "balanced" | "fast";

/** The precisions; the default is `balanced`. */
export const PRECISIONS: readonly Precision[] = ["exact", "balanced", "fast"];

/** The products of a layer, by what they are in the file, and the output head. */
export type Product =
  | "attn_q"
  | "attn_kv_a_mqa"
  | "attn_kv_b"
  | "attn_output"
  | "ffn_up"
  | "output";

/**
 * 8-bit planes of a product's activations: 2 keep 16 bits, 1 keeps 8. With one input at 8 bits and
 * all else exact, the KL of mini-q8_0 is 0.9e-5 for attn_q, 1.7e-5 for ffn_up, and from 2.4e-5 to
 * 3.8e-5 for those that have fewer multiplications to save.
 */
export function planesOf(precision: Precision, product: Product): 1 | 2 {
  if (precision === "exact") return 2;
  if (precision === "fast") return product === "attn_kv_b" || product === "output" ? 2 : 1;
  return product === "ffn_up" || product === "attn_q" ? 1 : 2;
}
