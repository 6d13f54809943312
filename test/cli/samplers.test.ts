/** The flags of samplers, under llama.cpp's names. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { loadModel } from "../../src/index.js";
import { json, model } from "./support/plm.js";

interface GenerateJson {
  readonly tokens: number[];
}

test("the samplers of llama.cpp by its names", async () => {
  // Rows that were reused round otherwise, and a draw may be near an edge.
  const fresh = await loadModel(model, { prefixCache: false });
  const options = {
    ...{ maxTokens: 30, seed: 4, temperature: 1.2, dynatempRange: 0.4, dynatempExponent: 1.5 },
    ...{ topNSigma: 2, xtcProbability: 0.5, xtcThreshold: 0.2, dryMultiplier: 0.8, dryBase: 2 },
    ...{ dryAllowedLength: 1, dryWindow: 20, drySequenceBreakers: ["e", "."] },
    samplers: ["xtc", "topNSigma", "topK", "temperature"] as const,
  };
  const expected = await fresh.generate("Once", options).result();
  const result = await json<GenerateJson>(
    ...["generate", "-m", model, "-p", "Once", "-n", "30", "-s", "4", "--temp", "1.2"],
    ...["--dynatemp-range", "0.4", "--dynatemp-exp", "1.5", "--top-nsigma", "2"],
    ...["--xtc-probability", "0.5", "--xtc-threshold", "0.2", "--dry-multiplier", "0.8"],
    ...["--dry-base", "2", "--dry-allowed-length", "1", "--dry-penalty-last-n", "20"],
    ...["--dry-sequence-breaker", "e", "--dry-sequence-breaker", "."],
    ...["--samplers", "xtc, topNSigma,topK,temperature"],
  );
  assert.equal(result.tokens, expected.tokens);
  const surprise = {
    maxTokens: 20,
    seed: 4,
    mirostat: 2,
    mirostatTau: 3,
    mirostatEta: 0.2,
  } as const;
  const mirostat = await json<GenerateJson>(
    ...["generate", "-m", model, "-p", "Once", "-n", "20", "-s", "4", "--mirostat", "2"],
    ...["--mirostat-ent", "3", "--mirostat-lr", "0.2"],
  );
  assert.equal(mirostat.tokens, (await fresh.generate("Once", surprise).result()).tokens);
  fresh.dispose();
});

test.run();
