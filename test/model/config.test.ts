import { test } from "uvu";
import * as assert from "uvu/assert";
import { parseConfig } from "../../src/model/config.js";
import { assertThrows } from "./engine.js";
import { ODD_DIMS, tinyMetadata } from "./tiny.js";

type Changes = Record<string, unknown>;

/** The metadata of a sound model with these keys changed; undefined takes a key away. */
function metadataWith(changes: Changes): Map<string, unknown> {
  const metadata = new Map<string, unknown>();
  for (const [key, { value }] of tinyMetadata({ dims: ODD_DIMS })) metadata.set(key, value);
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined) metadata.delete(key);
    else metadata.set(key, value);
  }
  return metadata;
}

/** Fails unless the changes are refused with a message that has each of the parts. */
function assertRefused(changes: Changes, ...parts: string[]): void {
  assertThrows(() => parseConfig(metadataWith(changes)), "INVALID_FILE", ...parts);
}

const DIM_KEYS = [
  "plm.block_count",
  "plm.context_length",
  "plm.embedding_length",
  "plm.feed_forward_length",
  "plm.attention.head_count",
  "plm.attention.kv_lora_rank",
  "plm.attention.key_length",
  "plm.attention.value_length",
  "plm.rope.dimension_count",
];
const NUMBER_KEYS = ["plm.attention.layer_norm_rms_epsilon", "plm.rope.freq_base"];

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

test("the vocabulary's size is the number of tokens", () => {
  assertRefused({ "plm.vocab_size": 260 }, "plm.vocab_size: expected 261", "got 260");
  assertRefused({ "plm.vocab_size": 288 }, "plm.vocab_size: expected 261", "got 288");
});

test("another architecture is not supported", () => {
  for (const [value, shown] of [
    ["deepseek2", '"deepseek2"'],
    [undefined, "nothing"],
    [7, "7"],
    [["plm"], "an array"],
  ] as const) {
    const metadata = metadataWith({ "general.architecture": value });
    assertThrows(() => parseConfig(metadata), "UNSUPPORTED_FILE", 'expected "plm"', shown);
  }
});

test("every missing key is named, all at once", () => {
  const keys = [...DIM_KEYS, ...NUMBER_KEYS];
  for (const key of keys) assertRefused({ [key]: undefined }, key, "got nothing");
  const none = Object.fromEntries(keys.map((key) => [key, undefined]));
  assertRefused(none, ...keys);
});

test("a key of another type is named with what came", () => {
  for (const key of [...DIM_KEYS, ...NUMBER_KEYS, "plm.vocab_size"]) {
    assertRefused({ [key]: "64" }, key, 'got "64"');
    assertRefused({ [key]: true }, key, "got true");
    assertRefused({ [key]: new Uint32Array([64, 64]) }, key, "got an array");
    assertRefused({ [key]: 2n ** 60n }, key, `got ${2n ** 60n}`);
    assertRefused({ [key]: Number.NaN }, key, "got NaN");
    assertRefused({ [key]: Number.POSITIVE_INFINITY }, key, "got Infinity");
  }
});

test("dims of zero, below zero, fractional or huge", () => {
  for (const key of [...DIM_KEYS, "plm.vocab_size"]) {
    for (const value of [0, -32, 64.5, 2 ** 31 - 1, 2 ** 52]) {
      assertRefused({ [key]: value }, `${key}: expected an integer from 1`, `got ${value}`);
    }
  }
});

test("an epsilon and a base of zero or below", () => {
  for (const key of NUMBER_KEYS) assertRefused({ [key]: 0 }, key, "a positive number");
  for (const key of NUMBER_KEYS) assertRefused({ [key]: -1 }, key, "a positive number");
});

test("dims that the kernels cannot take are named with their unit", () => {
  assertRefused({ "plm.embedding_length": 328 }, "plm.embedding_length", "multiple of 32");
  assertRefused({ "plm.feed_forward_length": 1000 }, "plm.feed_forward_length", "multiple of 32");
  assertRefused({ "plm.attention.kv_lora_rank": 100 }, "plm.attention.kv_lora_rank", "of 32");
  assertRefused({ "plm.attention.key_length": 60 }, "key_length - rope.dimension_count", "of 8");
  assertRefused({ "plm.rope.dimension_count": 20 }, "plm.rope.dimension_count", "multiple of 8");
  assertRefused({ "plm.attention.value_length": 36 }, "plm.attention.value_length", "of 8");
  assertRefused({ "plm.attention.value_length": 40 }, "head_count * value_length", "of 32");
});

test("keys must be longer than their rotated part", () => {
  for (const value of [24, 16]) {
    const message = "key_length - rope.dimension_count: expected a positive number";
    assertRefused({ "plm.attention.key_length": value }, message, `got ${value - 24}`);
  }
});

test("kinds of the architecture that are not PLM's", () => {
  assertRefused({ "plm.attention.head_count_kv": 1 }, "plm.attention.head_count_kv: expected 5");
  assertRefused({ "plm.attention.q_lora_rank": 768 }, "plm.attention.q_lora_rank: expected 0");
  assertRefused({ "plm.rope.scaling.type": "yarn" }, "plm.rope.scaling.type", 'got "yarn"');
  const harmless = {
    "plm.attention.head_count_kv": undefined,
    "plm.attention.q_lora_rank": 0,
    "plm.rope.scaling.type": "none",
  };
  assert.equal(parseConfig(metadataWith(harmless)), parseConfig(metadataWith({})));
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
