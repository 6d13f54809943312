/**
 * The logits of small models, bit for bit. A digest changes only in a commit that says so, and says
 * how far the logits were and are from the float model's.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { CACHE_TYPES, type CacheType } from "../../src/cache/rows.js";
import { VARIANTS, type Variant } from "../../src/kernels/load.js";
import { DIGESTS } from "./support/digests.js";
import { loadEngine } from "./support/engine.js";
import { readReference, referenceNames } from "./support/reference-files.js";

/** The tokens for the model that ships: more than two tiles of positions. */
const TOKENS = Array.from({ length: 150 }, (_, i) => (i * 7919 + 13) % 1024);

/** The beginnings of two SHA-256: of the logits of prefill, and of those of decode. */
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

for (const variant of VARIANTS) {
  test(`the model that ships, ${variant}`, async () => {
    const file = readFileSync("models/plm-tiny.gguf");
    const found: Record<string, string> = {};
    // Its rows have 16 values outside of q8_0's blocks.
    for (const cacheType of ["i16", "f32", "f16"] as const) {
      found[cacheType] = await digestsOf(file, TOKENS, variant, cacheType);
    }
    assert.equal(found, DIGESTS[variant]["plm-tiny"]);
  });

  test(`models of ../shared/reference, ${variant}`, async () => {
    for (const name of referenceNames()) {
      const { file, tokens } = readReference(name)!;
      const found: Record<string, string> = {};
      for (const cacheType of name === "mini-q8_0" ? CACHE_TYPES : (["i16"] as const)) {
        found[cacheType] = await digestsOf(file, tokens, variant, cacheType);
      }
      assert.equal(found, DIGESTS[variant][name], name);
    }
  });
}

test.run();
