import { test } from "uvu";
import * as assert from "uvu/assert";
import { PlmError } from "../../src/errors.js";
import { Tokenizer } from "../../src/tokenizer/tokenizer.js";
import { smallSource } from "./small.js";

const KEY = "tokenizer.ggml.";

function metadata(changes: Record<string, unknown> = {}): Map<string, unknown> {
  const source = smallSource();
  const entries: Record<string, unknown> = {
    [`${KEY}model`]: "gpt2",
    [`${KEY}pre`]: "qwen2",
    [`${KEY}tokens`]: source.tokens,
    [`${KEY}token_type`]: Int32Array.from(source.tokenTypes),
    [`${KEY}merges`]: source.merges,
    [`${KEY}eos_token_id`]: 268,
    [`${KEY}padding_token_id`]: 270,
    "tokenizer.chat_template": "{{ messages }}",
    ...changes,
  };
  return new Map(Object.entries(entries).filter(([, value]) => value !== undefined));
}

function code(changes: Record<string, unknown>): string {
  try {
    Tokenizer.fromMetadata(metadata(changes));
  } catch (error) {
    if (error instanceof PlmError) return error.code;
    throw error;
  }
  return "none";
}

test("a tokenizer comes out of metadata", () => {
  const tokenizer = Tokenizer.fromMetadata(metadata());
  assert.equal(tokenizer.encode("hello world"), [259, 264]);
  assert.is(tokenizer.chatTemplate, "{{ messages }}");
  assert.is(tokenizer.paddingTokenId, 270);
  assert.equal([...tokenizer.eosTokenIds], [268, 270]);
});

test("ids and template may be missing, types may be a plain array", () => {
  const tokenizer = Tokenizer.fromMetadata(
    metadata({
      [`${KEY}eos_token_id`]: undefined,
      [`${KEY}padding_token_id`]: undefined,
      "tokenizer.chat_template": undefined,
      [`${KEY}token_type`]: Array.from(smallSource().tokenTypes),
    }),
  );
  assert.equal([...tokenizer.eosTokenIds], [268, 270]);
  assert.is(tokenizer.chatTemplate, undefined);
});

test("end tokens may have several keys, and lists", () => {
  const ends = (changes: Record<string, unknown>): number[] => [
    ...Tokenizer.fromMetadata(metadata(changes)).eosTokenIds,
  ];
  assert.equal(ends({ [`${KEY}eot_token_id`]: 5 }), [268, 5, 270]);
  assert.equal(ends({ [`${KEY}eom_token_id`]: 6 }), [268, 6, 270]);
  assert.equal(ends({ [`${KEY}eos_token_ids`]: Int32Array.of(9, 268) }), [268, 9, 270]);
  assert.equal(ends({ [`${KEY}eos_token_ids`]: new Int32Array(0) }), [268, 270]);
  // Not in the vocabulary: as if they were not there.
  assert.equal(ends({ [`${KEY}eot_token_id`]: 0xffffffff }), [268, 270]);
  assert.equal(ends({ [`${KEY}eos_token_ids`]: [-1, 274, 0.5] }), [268, 270]);
});

test("other tokenizers are UNSUPPORTED_FILE", () => {
  assert.is(code({ [`${KEY}model`]: "llama" }), "UNSUPPORTED_FILE");
  assert.is(code({ [`${KEY}pre`]: "llama-bpe" }), "UNSUPPORTED_FILE");
  assert.is(code({ [`${KEY}merges`]: new Array(2 ** 21).fill("a a") }), "UNSUPPORTED_FILE");
});

test("what is missing or of the wrong type is INVALID_FILE", () => {
  for (const key of ["model", "pre", "tokens", "token_type", "merges"]) {
    for (const value of [undefined, 5, [5, "a"], new DataView(new ArrayBuffer(8)), null]) {
      assert.is(code({ [KEY + key]: value }), "INVALID_FILE", `${key}: ${value}`);
    }
  }
  assert.is(code({ [`${KEY}token_type`]: new BigInt64Array(274) }), "INVALID_FILE");
  for (const key of ["eos_token_id", "eos_token_ids", "eot_token_id", "eom_token_id"]) {
    for (const value of ["268", ["268"], [268, "268"], true]) {
      assert.is(code({ [KEY + key]: value }), "INVALID_FILE", `${key}: ${value}`);
    }
  }
  assert.is(code({ "tokenizer.chat_template": 1 }), "INVALID_FILE");
});

test("parts that do not fit each other are INVALID_FILE", () => {
  const { tokens, merges } = smallSource();
  assert.is(code({ [`${KEY}token_type`]: new Int32Array(273).fill(1) }), "INVALID_FILE");
  assert.is(code({ [`${KEY}token_type`]: [] }), "INVALID_FILE");
  assert.is(code({ [`${KEY}tokens`]: [], [`${KEY}token_type`]: [] }), "INVALID_FILE");
  assert.is(code({ [`${KEY}merges`]: [...merges, "he lx"] }), "INVALID_FILE");
  assert.is(code({ [`${KEY}tokens`]: ["x", ...tokens.slice(1)] }), "INVALID_FILE");
  assert.is(code({ [`${KEY}tokens`]: [...tokens.slice(0, -1), "<0xZZ>"] }), "INVALID_FILE");
  for (const id of [274, -1, 0.5, Number.NaN]) {
    assert.is(code({ [`${KEY}eos_token_id`]: id }), "INVALID_FILE");
    assert.is(code({ [`${KEY}padding_token_id`]: id }), "INVALID_FILE");
  }
});

test.run();
