/** llama-server's fields of sampling as the library's options. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { GenerateOptions } from "../../src/generation/options.js";
import { Fields } from "../../src/server/fields.js";
import { optionsOfChoice, readSampling } from "../../src/server/sampling.js";

function read(body: object): GenerateOptions {
  const fields = new Fields(body);
  const options = readSampling(fields, ["max_tokens"]);
  fields.refuseOthers();
  return options;
}

test("each field has its option", () => {
  const pairs: readonly [object, GenerateOptions][] = [
    [{}, {}],
    [{ temperature: null, top_k: null }, {}],
    [{ temperature: 0.5 }, { temperature: 0.5 }],
    [{ top_k: 7 }, { topK: 7 }],
    [{ top_k: -1 }, { topK: 0 }],
    [{ typical_p: 0.3 }, { typicalP: 0.3 }],
    [{ typ_p: 0.3 }, { typicalP: 0.3 }],
    [{ top_n_sigma: 1 }, { topNSigma: 1 }],
    [
      { xtc_probability: 0.1, xtc_threshold: 0.2 },
      { xtcProbability: 0.1, xtcThreshold: 0.2 },
    ],
    [
      { dynatemp_range: 0.1, dynatemp_exponent: 2 },
      { dynatempRange: 0.1, dynatempExponent: 2 },
    ],
    [
      { mirostat: 2, mirostat_tau: 3, mirostat_eta: 0.2 },
      { mirostat: 2, mirostatTau: 3, mirostatEta: 0.2 },
    ],
    [
      { repeat_penalty: 1.1, repeat_last_n: -1 },
      { repetitionPenalty: 1.1, repetitionWindow: Infinity },
    ],
    [{ presence_penalty: 1 }, { presencePenalty: 1 }],
    [{ frequency_penalty: 1 }, { frequencyPenalty: 1 }],
    [
      { dry_multiplier: 1, dry_base: 2, dry_allowed_length: 3, dry_penalty_last_n: -1 },
      { dryMultiplier: 1, dryBase: 2, dryAllowedLength: 3, dryWindow: Infinity },
    ],
    [{ dry_sequence_breakers: ["x"] }, { drySequenceBreakers: ["x"] }],
    [{ seed: 4 }, { seed: 4 }],
    [{ seed: -1 }, {}],
    [{ max_tokens: -1 }, { maxTokens: Infinity }],
    [{ ignore_eos: true }, { ignoreEos: true }],
    [{ stop: "x" }, { stop: "x" }],
  ];
  for (const [body, options] of pairs) assert.equal(read(body), options, JSON.stringify(body));
});

test("biases: an object or pairs, with bans", () => {
  const biases = new Map([
    [5, -Infinity],
    [6, 1.5],
  ]);
  assert.equal(read({ logit_bias: { 5: -100, 6: 1.5 } }).logitBias, biases);
  assert.equal(
    read({
      logit_bias: [
        [5, false],
        [6, 1.5],
      ],
    }).logitBias,
    biases,
  );
  for (const wrong of [3, "x", { a: 1 }, { "-1": 1 }, { 1: 200 }, [[1]], [["x", 1]], [1]]) {
    assert.throws(() => read({ logit_bias: wrong }), /^logit_bias: expected/);
  }
});

test("samplers that are left out do nothing", () => {
  const all = ["penalties", "dry", "top_n_sigma", "top_k", "typ_p", "top_p", "min_p", "xtc"];
  assert.equal(read({ samplers: [...all, "temperature"] }), {
    samplers: ["topNSigma", "topK", "typicalP", "topP", "minP", "xtc", "temperature"],
  });
  assert.equal(read({ samplers: ["temperature", "top_k"], repeat_penalty: 2 }), {
    ...{ samplers: ["temperature", "topK"], dryMultiplier: 0 },
    ...{ repetitionPenalty: 1, presencePenalty: 0, frequencyPenalty: 0 },
  });
  assert.equal(read({ samplers: ["penalties"] }), { samplers: [], dryMultiplier: 0 });
});

test("answers have seeds one after another, if there is one", () => {
  assert.equal(optionsOfChoice({ seed: 5 }, 2), { seed: 7 });
  assert.equal(optionsOfChoice({}, 2), {});
});

test.run();
