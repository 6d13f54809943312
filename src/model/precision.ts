/** How many bits the activations of a product keep, where several tokens are computed at once. */

/**
 * `exact`: 14 bits or more everywhere. `balanced`: 8 bits where they matter least, so that the KL
 * from the float model stays below a fifth of llama.cpp's. `fast`: 8 bits everywhere, as llama.cpp
 * has, except where few multiplications bring much. One token at a time is exact, except the query
 * against a q8_0 cache; without the relaxed dot, all but the down-projection is.
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

/** Products of which `fast` keeps 16 bits too. */
const PRECISE: ReadonlySet<Product> = new Set(["attn_kv_a_mqa", "attn_kv_b", "output"]);

/**
 * 8-bit planes of a product's activations: 2 keep 16 bits, 1 keeps 8. What 8 bits cost for the
 * multiplications that they save is least for attn_q and ffn_up (with attn_output, on a trained
 * model), most for what the cache is made of and for the head (docs/performance.md).
 */
export function planesOf(precision: Precision, product: Product): 1 | 2 {
  if (precision === "exact") return 2;
  if (precision === "fast") return PRECISE.has(product) ? 2 : 1;
  return product === "ffn_up" || product === "attn_q" ? 1 : 2;
}
