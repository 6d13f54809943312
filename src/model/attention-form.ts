/** Absorbed or expanded attention: the same result at different costs. */
import type { Phase } from "./batch.js";
import type { PlmConfig } from "./config.js";

/** How attention is computed; `auto` is absorbed in decode, the cheaper form in prefill. */
export type AttentionForm = "auto" | "absorbed" | "expanded";

/** The forms; the first is the default. */
export const ATTENTION_FORMS: readonly AttentionForm[] = ["auto", "absorbed", "expanded"];

/**
 * The form for n new tokens after `position` cached ones. `auto` is absorbed in decode, and in
 * prefill the form with fewer multiplications per layer. For P pairs of a query and a position that
 * it attends to, these are
 *
 *   absorbed   n kvB + P heads (2 kvLoraRank + qkRopeHeadDim)
 *   expanded   (position + n) kvB + P heads (qkHeadDim + vHeadDim)
 *
 * where kvB is the size of kv_b.
 */
export function chooseAttention(
  form: AttentionForm,
  config: PlmConfig,
  { n, position, phase }: { n: number; position: number; phase: Phase },
): "absorbed" | "expanded" {
  if (form !== "auto") return form;
  if (phase === "decode") return "absorbed";
  const { numAttentionHeads: heads, kvLoraRank, qkNopeHeadDim, qkRopeHeadDim, vHeadDim } = config;
  const kvB = heads * (qkNopeHeadDim + vHeadDim) * kvLoraRank;
  const pairs = n * position + (n * (n + 1)) / 2;
  const absorbed = n * kvB + pairs * heads * (2 * kvLoraRank + qkRopeHeadDim);
  const qkHeadDim = qkNopeHeadDim + qkRopeHeadDim;
  const expanded = (position + n) * kvB + pairs * heads * (qkHeadDim + vHeadDim);
  return absorbed < expanded ? "absorbed" : "expanded";
}
