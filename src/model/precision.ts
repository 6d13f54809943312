/** How many bits a product's activations keep in prefill. */

/**
 * `exact`: 14 bits or more everywhere. `balanced`: 8 bits where they matter least, so that the KL
 * from the float model stays below a fifth of llama.cpp's. `fast`: 8 bits everywhere, as in
 * llama.cpp, except where more cost few multiplications and help much. Decode is exact, except the
 * query against a q8_0 cache. Where the kernels without the relaxed dot multiply bytes no faster
 * than 16 bits, as on x86, everything except the down-projection is.
 */
export type Precision = "exact" | "balanced" | "fast";

/** The precisions; the default is `balanced`. */
export const PRECISIONS: readonly Precision[] = ["exact", "balanced", "fast"];

/** The products of a layer and the output head, by their tensors' names in files. */
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
 * 8-bit planes of a product's activations: 2 keep 16 bits, 1 keeps 8. Per multiplication saved, 8
 * bits cost least for attn_q and ffn_up (on a trained model also for attn_output), most for the
 * cache's inputs and the head (docs/performance.md).
 */
export function planesOf(precision: Precision, product: Product): 1 | 2 {
  if (precision === "exact") return 2;
  if (precision === "fast") return PRECISE.has(product) ? 2 : 1;
  return product === "ffn_up" || product === "attn_q" ? 1 : 2;
}
