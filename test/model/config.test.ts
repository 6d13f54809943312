import { test } from "uvu";
import * as assert from "uvu/assert";
import { parseConfig } from "../../src/model/config.js";
import { type Changes, metadataWith } from "./support/changed-metadata.js";
import { assertThrows } from "./support/engine.js";
import { ODD_DIMS } from "./support/tiny.js";

/** Fails unless the changes are refused as damage, with a message that has each of the parts. */
function assertRefused(changes: Changes, ...parts: string[]): void {
  assertThrows(() => parseConfig(metadataWith(changes)), "INVALID_FILE", ...parts);
}

/** Fails unless the changes are refused as sound, but not supported. */
function assertUnsupported(changes: Changes, ...parts: string[]): void {
  assertThrows(() => parseConfig(metadataWith(changes)), "UNSUPPORTED_FILE", ...parts);
}

const REQUIRED_KEYS = [
  "plm.block_count",
  "plm.context_length",
  "plm.embedding_length",
  "plm.feed_forward_length",
  "plm.attention.head_count",
  "plm.attention.kv_lora_rank",
];
const OPTIONAL_DIM_KEYS = [
  "plm.attention.key_length",
  "plm.attention.value_length",
  "plm.rope.dimension_count",
];
const DIM_KEYS = [...REQUIRED_KEYS, ...OPTIONAL_DIM_KEYS];
const NUMBER_KEYS = ["plm.attention.layer_norm_rms_epsilon", "plm.rope.freq_base"];
/** Keys that llama.cpp takes as a value for each layer, too. */
const LAYERS_KEYS = [
  "plm.feed_forward_length",
  "plm.attention.head_count",
  "plm.attention.head_count_kv",
];

test("the dims of a sound file", () => {
  const { contextLength, ...dims } = ODD_DIMS;
  const expected = { ...dims, rmsNormEps: 1e-6, ropeTheta: 100000 };
  assert.equal(parseConfig(metadataWith({})), {
    ...expected,
    maxPositionEmbeddings: contextLength,
  });
});

test("the vocabulary's size may come from the tokens alone", () => {
  const metadata = metadataWith({ "plm.vocab_size": undefined });
  assert.is(parseConfig(metadata).vocabSize, ODD_DIMS.vocabSize);
  metadata.delete("tokenizer.ggml.tokens");
  assertThrows(() => parseConfig(metadata), "INVALID_FILE", "plm.vocab_size", "got nothing");
});

test("the vocabulary's size is the number of tokens, whatever the key says", () => {
  for (const value of [260, 288, "261"]) {
    const { vocabSize } = parseConfig(metadataWith({ "plm.vocab_size": value }));
    assert.is(vocabSize, ODD_DIMS.vocabSize);
  }
});

test("a file that is not a model is not supported", () => {
  for (const type of ["adapter", "imatrix", "mmproj"]) {
    assertUnsupported({ "general.type": type }, 'general.type: expected "model"', `got "${type}"`);
  }
  for (const type of ["model", "something", 7, undefined]) {
    parseConfig(metadataWith({ "general.type": type }));
  }
});

test("another architecture is not supported", () => {
  for (const [value, shown] of [
    ["deepseek2", '"deepseek2"'],
    [undefined, "nothing"],
    [7, "7"],
    [["plm"], '["plm"]'],
  ] as const) {
    const metadata = metadataWith({ "general.architecture": value });
    assertThrows(() => parseConfig(metadata), "UNSUPPORTED_FILE", 'expected "plm"', shown);
  }
});

test("every missing key is named, all at once", () => {
  const keys = [...REQUIRED_KEYS, "plm.attention.layer_norm_rms_epsilon"];
  for (const key of keys) assertRefused({ [key]: undefined }, key, "got nothing");
  const none = Object.fromEntries(keys.map((key) => [key, undefined]));
  assertRefused(none, ...keys);
});

test("keys that may be missing have llama.cpp's defaults", () => {
  const changes = {
    "plm.rope.freq_base": undefined,
    "plm.attention.head_count_kv": undefined,
    "plm.attention.key_length": undefined,
    "plm.attention.value_length": undefined,
    "general.type": undefined,
  };
  const config = parseConfig(metadataWith(changes));
  assert.is(config.ropeTheta, 10000);
  assert.is(config.qkNopeHeadDim + config.qkRopeHeadDim, 320 / 5);
  assert.is(config.vHeadDim, 320 / 5);
  // All of a head is rotated then, which leaves PLM nothing for its latent keys.
  const rotated = { "plm.rope.dimension_count": undefined };
  assertRefused(rotated, "key_length - rope.dimension_count: expected a positive number, got 0");
});

test("equal values for each layer count as one", () => {
  const expected = parseConfig(metadataWith({}));
  const sound = metadataWith({});
  for (const key of LAYERS_KEYS) {
    const value = (sound.get(key) ?? ODD_DIMS.numAttentionHeads) as number;
    for (const array of [
      Uint32Array.of(value, value),
      Int32Array.of(value, value),
      BigUint64Array.of(BigInt(value), BigInt(value)),
    ]) {
      assert.equal(parseConfig(metadataWith({ [key]: array })), expected, key);
    }
    const mixed = { [key]: Uint32Array.of(value, 2 * value) };
    assertUnsupported(mixed, `${key}: expected the same for every layer, got [${value}, `);
    for (const length of [0, 1, 3]) {
      const array = { [key]: new Uint32Array(length).fill(value) };
      assertRefused(array, `${key}: expected 2 values, one for each layer, got ${length}`);
    }
    assertRefused({ [key]: ["a", "b"] }, `${key}: expected a number, got ["a", "b"]`);
  }
});

test("a key of another type is named with what came", () => {
  for (const key of [...DIM_KEYS, ...NUMBER_KEYS]) {
    assertRefused({ [key]: "64" }, key, 'got "64"');
    assertRefused({ [key]: true }, key, "got true");
    if (!LAYERS_KEYS.includes(key)) {
      assertRefused({ [key]: new Uint32Array([64, 64]) }, key, "got [64, 64]");
    }
    assertRefused({ [key]: 2n ** 60n }, key, `got ${2n ** 60n}`);
    assertRefused({ [key]: Number.NaN }, key, "got NaN");
    assertRefused({ [key]: Number.POSITIVE_INFINITY }, key, "got Infinity");
  }
});

test("dims of zero, below zero, fractional or huge", () => {
  for (const key of DIM_KEYS) {
    const isContext = key === "plm.context_length";
    for (const value of [0, -32, 64.5, ...(isContext ? [2 ** 32] : [2 ** 31 - 1]), 2 ** 52]) {
      assertRefused({ [key]: value }, `${key}: expected an integer from 1`, `got ${value}`);
    }
  }
});

test("a context of any length, which loading need not plan for", () => {
  const metadata = metadataWith({ "plm.context_length": 2 ** 32 - 1 });
  assert.is(parseConfig(metadata).maxPositionEmbeddings, 2 ** 32 - 1);
});

test("an epsilon below zero, a base of zero or below", () => {
  const [epsilon, base] = NUMBER_KEYS;
  assert.is(parseConfig(metadataWith({ [epsilon]: 0 })).rmsNormEps, 0);
  assertRefused({ [epsilon]: -1 }, epsilon, "at least 0");
  for (const value of [0, -1]) assertRefused({ [base]: value }, base, "a positive number");
});

test("dims that the kernels cannot take are named with their unit", () => {
  assertUnsupported({ "plm.embedding_length": 328 }, "plm.embedding_length", "multiple of 32");
  assertUnsupported(
    { "plm.feed_forward_length": 1000 },
    "plm.feed_forward_length",
    "multiple of 32",
  );
  assertUnsupported({ "plm.attention.kv_lora_rank": 100 }, "plm.attention.kv_lora_rank", "of 32");
  assertUnsupported(
    { "plm.attention.key_length": 60 },
    "key_length - rope.dimension_count",
    "of 8",
  );
  assertUnsupported(
    { "plm.rope.dimension_count": 20 },
    "plm.rope.dimension_count",
    "multiple of 8",
  );
  assertUnsupported({ "plm.attention.value_length": 36 }, "plm.attention.value_length", "of 8");
  assertUnsupported({ "plm.attention.value_length": 40 }, "head_count * value_length", "of 32");
});

test("keys must be longer than their rotated part", () => {
  for (const value of [24, 16]) {
    const message = "key_length - rope.dimension_count: expected a positive number";
    assertRefused({ "plm.attention.key_length": value }, message, `got ${value - 24}`);
  }
});

/** Keys that ask for what PLM does not have, what asks for it, and what does not. */
const FOREIGN_KEYS: readonly [key: string, asking: unknown[], harmless: unknown[]][] = [
  ["attention.head_count_kv", [1, 10], [undefined, 5]],
  ["attention.q_lora_rank", [768], [0]],
  ["attention.key_length_mla", [32], [64]],
  ["attention.value_length_mla", [64], [32]],
  ["attention.causal", [false, 0], [true]],
  ["attention.scale", [1], [0, 0.125]],
  ["attention.layer_norm_epsilon", [1e-5], [1e-6, Math.fround(1e-6)]],
  ["attention.group_norm_epsilon", [1e-5], [0]],
  ["attention.sliding_window", [16, 63, "64"], [0, 64, 4096]],
  ["attention.sliding_window_pattern", [[true, false]], [[false, false], []]],
  ["attention.clamp_kqv", [8], [0]],
  ["attention.max_alibi_bias", [8], [0]],
  ["attention.output_scale", [0.5], [0, 1]],
  ["attention.temperature_length", [4096], [0]],
  ["attn_logit_softcapping", [50], [0]],
  ["final_logit_softcapping", [30], [0]],
  ["logit_scale", [0.0625], [0, 1]],
  ["residual_scale", [0.22], [0, 1]],
  ["embedding_scale", [12], [0, 1]],
  ["embedding_length_out", [64], [320]],
  ["expert_count", [8, 8n], [0, 0n]],
  ["expert_used_count", [2], [0]],
  ["leading_dense_block_count", [1], [0]],
  ["use_parallel_residual", [true], [false]],
  ["hidden_activation", ["silu"], ["relu2", "relu_sqr"]],
  ["tensor_data_layout", ["Meta AI original pth"], ["reference"]],
  ["pooling_type", [1], [0]],
  ["swiglu_clamp_exp", [Float32Array.of(0, 7)], [new Float32Array(2)]],
  ["rope.dimension_sections", [Int32Array.of(16, 24, 24, 0)], [new Int32Array(4)]],
  ["rope.freq_base_swa", [10000], [0]],
  ["rope.scaling.type", ["longrope", "su"], ["none", "linear", "yarn"]],
  ["rope.scaling.alpha", [1000], [0]],
  ["rope.scaling.yarn_log_multiplier", [0.1], [0]],
  ["rope.scaling.yarn_attn_factor", [2], [1]],
  ["ssm.state_size", [16], [0]],
  ["not.yet.known", [1, "yes", true, ["a"]], [0, "", "none", false, [], ["", "none"]]],
];

test("features that the engine lacks are refused by name", () => {
  const expected = parseConfig(metadataWith({}));
  for (const [name, asking, harmless] of FOREIGN_KEYS) {
    const key = `plm.${name}`;
    for (const value of asking) assertUnsupported({ [key]: value }, key, ": expected ");
    for (const value of harmless) {
      assert.equal(parseConfig(metadataWith({ [key]: value })), expected, `${key} ${value}`);
    }
  }
  const all = FOREIGN_KEYS.map(([name, [value]]): [string, unknown] => [`plm.${name}`, value]);
  assertUnsupported(Object.fromEntries(all), ...all.map(([key]) => key));
});

test("keys other than hyperparameters are ignored", () => {
  const changes = { "general.size_label": "1.8B", "other.attention.scale": 7, plm: 1, "plm2.x": 1 };
  assert.equal(parseConfig(metadataWith(changes)), parseConfig(metadataWith({})));
});

test("of endless foreign keys a message names some", () => {
  const keys = Array.from({ length: 5000 }, (_, i) => [`plm.${"x".repeat(90)}${i}`, 1] as const);
  try {
    parseConfig(metadataWith(Object.fromEntries(keys)));
    assert.unreachable();
  } catch (error) {
    assert.ok((error as Error).message.length < 20_000);
  }
});

test("several faults are one error", () => {
  assertRefused(
    {
      "plm.embedding_length": 33,
      "plm.block_count": 0,
      "plm.rope.freq_base": "high",
      "plm.attention.head_count_kv": 4,
      "plm.context_length": undefined,
    },
    "plm.embedding_length",
    "plm.block_count",
    "plm.rope.freq_base",
    "plm.attention.head_count_kv",
    "plm.context_length",
  );
});

test.run();
