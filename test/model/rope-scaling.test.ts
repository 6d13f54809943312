/** Stretched rotary embeddings: the meaning of the keys, and llama.cpp's results. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { encodeGguf, type MetadataEntry, type TensorData } from "../../src/format/writer.js";
import { parseConfig } from "../../src/model/config.js";
import { type RopeScaling, rotaryFrequencies } from "../../src/model/rope-scaling.js";
import { assertAtMost, assertThrows, engineLogits, loadEngine } from "./support/engine.js";
import { Q8_CACHE_DIMS, tinyMetadata, tinyModel } from "./support/tiny.js";

type Keys = Record<string, number | string | boolean | undefined>;

const FACTOR = { "scaling.factor": 4 };
const YARN = { ...FACTOR, "scaling.type": "yarn", "scaling.original_context_length": 16 };

function entryOf(name: string, value: number | string | boolean): MetadataEntry {
  const isCount = name.endsWith("_length");
  const number = isCount ? "uint32" : "float32";
  const type = typeof value === "string" ? "string" : typeof value === "boolean" ? "bool" : number;
  return { key: `plm.rope.${name}`, type, value };
}

/** What a file with these keys of plm.rope says; undefined takes a key away. */
function scalingOf(keys: Keys): RopeScaling | undefined {
  const metadata = new Map<string, unknown>();
  for (const [key, { value }] of tinyMetadata({ dims: Q8_CACHE_DIMS })) metadata.set(key, value);
  for (const [name, value] of Object.entries(keys)) metadata.set(`plm.rope.${name}`, value);
  return parseConfig(metadata).ropeScaling;
}

/**
 * Logits of tokens 1 to 6 less that of token 0 after TOKENS, as llama.cpp (node-llama-cpp 3.22.1,
 * f16 cache) has them for the F32 model of Q8_CACHE_DIMS with these keys.
 */
const LLAMA_CPP: readonly [what: string, Keys, number[]][] = [
  ["nothing", {}, [5.629, 18.007, 6.767, 44.969, 25.531, 10.38]],
  ["a factor alone", FACTOR, [10.123, 17.359, 6.8, 45.038, 27.481, 13.352]],
  ["the older key", { scale_linear: 4 }, [10.123, 17.359, 6.8, 45.038, 27.481, 13.352]],
  [
    "a factor without a type",
    { ...FACTOR, "scaling.type": "none" },
    [5.629, 18.007, 6.767, 44.969, 25.531, 10.38],
  ],
  ["YaRN", YARN, [9.829, 17.759, 6.028, 46.421, 28.431, 14.462]],
  [
    "an attention factor",
    { "scaling.attn_factor": 1.3 },
    [6.601, 17.224, 4.399, 46.26, 25.894, 10.371],
  ],
  [
    "YaRN with an attention factor",
    { ...YARN, "scaling.attn_factor": 1.3 },
    [8.379, 16.366, 4.073, 44.57, 26.85, 12.689],
  ],
  [
    "YaRN of another base",
    { ...YARN, freq_base: 1e4 },
    [4.24, 13.463, 5.09, 42.304, 24.649, 6.369],
  ],
  ["no base", { freq_base: undefined }, [5.171, 12.061, 6.538, 42.99, 25.055, 8.396]],
  ["a factor below 1", { "scaling.factor": 0.5 }, [8.02, 14.991, 7.631, 44.637, 25.879, 9.507]],
  [
    "YaRN with a factor below 1",
    { ...YARN, "scaling.factor": 0.5 },
    [7.306, 14.093, 7.063, 43.802, 25.469, 9.061],
  ],
];

const TOKENS = Array.from({ length: 48 }, (_, i) => (i * 37 + 11) % 250);

test("logits are llama.cpp's", async () => {
  let tensors: TensorData[] = [];
  tinyModel({ dims: Q8_CACHE_DIMS }, (parts) => {
    tensors = [...parts.tensors.values()];
  });
  for (const [what, keys, expected] of LLAMA_CPP) {
    const metadata = tinyMetadata({ dims: Q8_CACHE_DIMS });
    for (const [name, value] of Object.entries(keys)) {
      if (value === undefined) metadata.delete(`plm.rope.${name}`);
      else metadata.set(`plm.rope.${name}`, entryOf(name, value));
    }
    const file = encodeGguf([...metadata.values()], tensors);
    const model = await loadEngine(file, { cacheType: "f16" });
    const logits = (await engineLogits(model, TOKENS))[TOKENS.length - 1];
    model.dispose();
    expected.forEach((value, i) => {
      // The two differ by how f16 rounds; other keys change each row by 0.3 and more somewhere.
      assertAtMost(Math.abs(logits[i + 1] - logits[0] - value), 0.06, `${what}, token ${i + 1}`);
    });
  }
});

test("keys that change nothing leave no scaling", () => {
  for (const keys of [
    {},
    { "scaling.type": "linear" },
    { "scaling.type": "yarn" },
    { "scaling.type": "none", "scaling.factor": 8 },
    { "scaling.factor": 1 },
    { "scaling.factor": 0 },
    { scale_linear: 1 },
    { "scaling.factor": 1, scale_linear: 4 },
    { "scaling.original_context_length": 16 },
    { "scaling.finetuned": true },
    { "scaling.yarn_attn_factor": 1 },
  ] satisfies Keys[]) {
    assert.is(scalingOf(keys), undefined, JSON.stringify(keys));
  }
});

test("values and defaults of the keys", () => {
  const linear = {
    ...{ ropeType: "linear", factor: 4, attentionFactor: 1, originalMaxPositionEmbeddings: 64 },
    ...{ betaFast: 32, betaSlow: 1, extrapolationFactor: 1 },
  };
  assert.equal(scalingOf(FACTOR), linear);
  const original = { ropeType: "yarn", originalMaxPositionEmbeddings: 16 };
  const attentionFactor = 0.1 * Math.log(4) + 1;
  assert.equal(scalingOf(YARN), { ...linear, ...original, attentionFactor });
  const all = {
    ...{ ...YARN, "scaling.attn_factor": 0.5, "scaling.yarn_beta_fast": 8 },
    ...{ "scaling.yarn_beta_slow": 2, "scaling.yarn_ext_factor": 0.25 },
  };
  const told = { betaFast: 8, betaSlow: 2, extrapolationFactor: 0.25 };
  const half = attentionFactor / 2;
  assert.equal(scalingOf(all), { ...linear, ...original, ...told, attentionFactor: half });
  const unset = { "scaling.yarn_beta_fast": -1, "scaling.yarn_beta_slow": -1 };
  assert.equal(scalingOf({ ...YARN, ...unset, "scaling.yarn_ext_factor": -1 }), scalingOf(YARN));
});

test("impossible numbers are damage", () => {
  for (const [keys, message] of [
    [{ "scaling.factor": -2 }, "plm.rope.scaling.factor: expected a positive number, got -2"],
    [{ "scaling.factor": "4" }, 'plm.rope.scaling.factor: expected a number, got "4"'],
    [{ "scaling.factor": Number.NaN }, "plm.rope.scaling.factor: expected a number, got NaN"],
    [{ scale_linear: true }, "plm.rope.scale_linear: expected a number, got true"],
    [{ "scaling.attn_factor": 0 }, "plm.rope.scaling.attn_factor: expected a positive number"],
    [{ "scaling.original_context_length": -1 }, "original_context_length: expected a positive"],
    [{ "scaling.type": 2 }, "plm.rope.scaling.type: expected a text, got 2"],
  ] as [Keys, string][]) {
    assertThrows(() => scalingOf(keys), "INVALID_FILE", message);
  }
});

test("YaRN keeps fast dims, stretches slow ones, and mixes in between", () => {
  const [dims, theta, factor] = [64, 10000, 8];
  const kept = rotaryFrequencies(dims, theta, undefined);
  assert.is(kept.length, 32);
  assert.is(kept[0], 1);
  assertAtMost(Math.abs(kept[16] - 0.01), 1e-15, "theta^(-1/2)");
  const scaling: RopeScaling = {
    ...{ ropeType: "yarn", factor, attentionFactor: 1, originalMaxPositionEmbeddings: 4096 },
    ...{ betaFast: 32, betaSlow: 1, extrapolationFactor: 1 },
  };
  const linear = rotaryFrequencies(dims, theta, { ...scaling, ropeType: "linear" });
  const yarn = rotaryFrequencies(dims, theta, scaling);
  const turns = Array.from(kept, (frequency) => (4096 * frequency) / (2 * Math.PI));
  let between = 0;
  for (const [i, frequency] of yarn.entries()) {
    assertAtMost(Math.abs(linear[i] - kept[i] / factor), 1e-15, "linear");
    const share = (frequency - linear[i]) / (kept[i] - linear[i]);
    if (turns[i] > 32 / theta ** (-2 / dims)) assertAtMost(1 - share, 1e-9, `kept ${i}`);
    else if (turns[i] < theta ** (-2 / dims)) assertAtMost(share, 1e-9, `stretched ${i}`);
    else if (share > 0.01 && share < 0.99) between++;
  }
  assert.ok(between >= 8, `${between} between`);
  assert.equal(rotaryFrequencies(dims, theta, { ...scaling, extrapolationFactor: 0 }), linear);
});

test.run();
