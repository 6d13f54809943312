/**
 * Prints the digests of small models' logits as JSON: of each variant, model and cache type the
 * beginnings of two SHA-256, of the logits of prefill and of those of decode. To be run with a
 * clock that stands still, so that no kernel is chosen by timing.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { CACHE_TYPES, type CacheType } from "../../../src/cache/rows.js";
import { VARIANTS, type Variant } from "../../../src/kernels/load.js";
import { loadEngine } from "./engine.js";
import { readReference, referenceNames } from "./reference-files.js";

/** What is evaluated of the model that ships: more than two pages of positions. */
const TOKENS = Array.from({ length: 150 }, (_, i) => (i * 7919 + 13) % 1024);

async function digestsOf(
  file: Uint8Array,
  tokens: readonly number[],
  variant: Variant,
  cacheType: CacheType,
): Promise<string> {
  const model = await loadEngine(file, { cacheType, variant });
  const digests: string[] = [];
  for (const chunkSize of [tokens.length, 1]) {
    const session = model.createSession();
    const logits = await session.evaluate(tokens, { logits: "all", chunkSize });
    session.dispose();
    const bytes = new Uint8Array(logits.buffer, logits.byteOffset, logits.byteLength);
    digests.push(createHash("sha256").update(bytes).digest("hex").slice(0, 16));
  }
  model.dispose();
  return digests.join(" ");
}

const found: Record<string, Record<string, Record<string, string>>> = {};
const names = referenceNames(() => {});
for (const variant of VARIANTS) {
  found[variant] = { "plm-tiny": {} };
  // Its rows have 16 values that q8_0 has no block for.
  for (const cacheType of ["i16", "f32", "f16"] as const) {
    const file = readFileSync("models/plm-tiny.gguf");
    found[variant]["plm-tiny"][cacheType] = await digestsOf(file, TOKENS, variant, cacheType);
  }
  for (const name of names) {
    const { file, tokens } = readReference(name)!;
    found[variant][name] = {};
    for (const cacheType of name === "mini-q8_0" ? CACHE_TYPES : (["i16"] as const)) {
      found[variant][name][cacheType] = await digestsOf(file, tokens, variant, cacheType);
    }
  }
}
console.log(JSON.stringify(found));
