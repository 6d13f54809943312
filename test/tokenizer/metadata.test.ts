import { test } from "uvu";
import * as assert from "uvu/assert";
import { PlmError } from "../../src/errors.js";
import { Tokenizer } from "../../src/tokenizer/tokenizer.js";
import { assertThrows } from "../model/support/engine.js";
import { smallSource } from "./support/small.js";

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

/** The tokenizer of a file with changed entries. */
function read(changes: Record<string, unknown>): Tokenizer {
  return Tokenizer.fromMetadata(metadata(changes));
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

test("metadata makes a tokenizer", () => {
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
  // Not in the vocabulary: ignored.
  assert.equal(ends({ [`${KEY}eot_token_id`]: 0xffffffff }), [268, 270]);
  assert.equal(ends({ [`${KEY}eos_token_ids`]: [-1, 274] }), [268, 270]);
  assert.equal(ends({ [`${KEY}eos_token_ids`]: 9 }), [268, 9, 270]);
  assert.equal(ends({ [`${KEY}eos_token_ids`]: [9n] }), [268, 9, 270]);
});

test("other tokenizers are UNSUPPORTED_FILE", () => {
  assert.is(code({ [`${KEY}model`]: "llama" }), "UNSUPPORTED_FILE");
  assert.is(code({ [`${KEY}pre`]: "llama-bpe" }), "UNSUPPORTED_FILE");
  assert.is(code({ [`${KEY}merges`]: new Array(2 ** 21).fill("a a") }), "UNSUPPORTED_FILE");
});

test("a missing entry or one of the wrong type is INVALID_FILE", () => {
  for (const key of ["model", "pre", "tokens", "token_type", "merges"]) {
    const values = [5, [5, "a"], new DataView(new ArrayBuffer(8)), null];
    const isNeeded = key !== "pre" && key !== "token_type";
    for (const value of isNeeded ? [undefined, ...values] : values) {
      assert.is(code({ [KEY + key]: value }), "INVALID_FILE", `${key}: ${value}`);
    }
  }
  for (const value of ["268", ["268"], [268, "268"], true, 0.5, [0.5]]) {
    assert.is(code({ [`${KEY}eos_token_ids`]: value }), "INVALID_FILE", `eos_token_ids: ${value}`);
  }
  assert.is(code({ "tokenizer.chat_template": 1 }), "INVALID_FILE");
  for (const name of ["bos", "eos", "eot", "eom", "padding"]) {
    for (const id of ["268", true, 0.5, Number.NaN, [268, 268]]) {
      assert.is(code({ [`${KEY}${name}_token_id`]: id }), "INVALID_FILE", `${name}: ${id}`);
    }
  }
  for (const flag of ["yes", 2, [true, false]]) {
    assert.is(code({ [`${KEY}add_bos_token`]: flag }), "INVALID_FILE", String(flag));
    assert.is(code({ [`${KEY}add_eos_token`]: flag }), "INVALID_FILE", String(flag));
  }
});

test("parts that do not fit each other are INVALID_FILE", () => {
  const { tokens } = smallSource();
  assert.is(code({ [`${KEY}token_type`]: new Int32Array(273).fill(1) }), "INVALID_FILE");
  assert.is(code({ [`${KEY}token_type`]: [] }), "INVALID_FILE");
  assert.is(code({ [`${KEY}tokens`]: [], [`${KEY}token_type`]: [] }), "INVALID_FILE");
  assert.is(code({ [`${KEY}tokens`]: [...tokens.slice(0, -1), "<0xZZ>"] }), "INVALID_FILE");
});

test("a source that names ids out of range is INVALID_FILE", () => {
  for (const name of ["bosTokenId", "eosTokenId", "paddingTokenId"]) {
    for (const id of [274, -1, 0.5, Number.NaN]) {
      assertThrows(
        () => new Tokenizer({ ...smallSource(), [name]: id }),
        "INVALID_FILE",
        `${name}: expected 0 to 273, got ${id}`,
      );
    }
  }
});

test("unneeded ids out of range are ignored, with a warning", () => {
  for (const id of [274, 0xffffffff, -1, 2n ** 64n - 1n]) {
    for (const name of ["bos", "eos", "padding"]) {
      const key = `${KEY}${name}_token_id`;
      const { warnings, bosTokenId, eosTokenIds, paddingTokenId } = read({ [key]: id });
      assert.equal(warnings, [`${key}: expected 0 to 273, got ${id}; ignored`]);
      assert.is(bosTokenId, undefined);
      assert.equal([...eosTokenIds], [268, 270]);
      assert.is(paddingTokenId, name === "padding" ? undefined : 270);
    }
  }
  const key = `${KEY}eos_token_ids`;
  const { warnings, eosTokenIds } = read({ [key]: Int32Array.of(9, 274, -1) });
  assert.equal(warnings, [`${key}: expected 0 to 273, got 274; ignored`]);
  assert.equal([...eosTokenIds], [268, 9, 270]);
  assert.equal(read({}).warnings, []);
});

test("a begin token that is to be added must exist", () => {
  const add = { [`${KEY}add_bos_token`]: true };
  assert.is(code(add), "INVALID_FILE");
  assert.is(code({ ...add, [`${KEY}bos_token_id`]: 274 }), "INVALID_FILE");
  assert.is(code({ ...add, [`${KEY}bos_token_id`]: 269 }), "none");
  assertThrows(() => read(add), "INVALID_FILE", "add_bos_token is true, expected a bos_token_id");
});

test("single values may be arrays of one, and of any width", () => {
  const pad = `${KEY}padding_token_id`;
  for (const id of [[269], Int32Array.of(269), BigInt64Array.of(269n), 269n]) {
    assert.is(read({ [pad]: id }).paddingTokenId, 269);
  }
  const add = { [`${KEY}bos_token_id`]: 269 };
  for (const flag of [true, 1, 1n, [true], [1n], Uint8Array.of(1)]) {
    assert.is(read({ ...add, [`${KEY}add_bos_token`]: flag }).addBosToken, true);
  }
  assert.is(read({ ...add, [`${KEY}add_bos_token`]: 0 }).addBosToken, false);
  assert.is(read({ [`${KEY}model`]: ["gpt2"], [`${KEY}pre`]: ["qwen2"] }).vocabSize, 274);
});

test("token types may be of any width, missing, or more than there are tokens", () => {
  const { tokenTypes } = smallSource();
  const types = Array.from(tokenTypes);
  for (const array of [
    Uint8Array.from(types),
    BigInt64Array.from(types.map(BigInt)),
    [...types, 3, 3],
  ]) {
    const tokenizer = read({ [`${KEY}token_type`]: array });
    assert.equal(tokenizer.encode("<|im_end|>", { special: true }), [270]);
    assert.is(tokenizer.vocabSize, 274);
  }
  const untyped = read({ [`${KEY}token_type`]: undefined });
  assert.equal(untyped.encode("hello world"), [259, 264]);
  assert.is(untyped.decode([269, 272, 273]), "<|im_start|>[PAD272]<0x0A>");
});

test("without a pre-tokenizer it is Qwen2's, with a warning; its other names need none", () => {
  for (const pre of [undefined, ""]) {
    const tokenizer = read({ [`${KEY}pre`]: pre });
    assert.equal(tokenizer.encode("hello world"), [259, 264]);
    assert.equal(tokenizer.warnings, [`${KEY}pre: missing; taken for "qwen2"`]);
  }
  assert.equal(read({ [`${KEY}pre`]: "deepseek-r1-qwen" }).warnings, []);
  for (const pre of ["default", "gpt-2", "qwen35"]) {
    assert.is(code({ [`${KEY}pre`]: pre }), "UNSUPPORTED_FILE");
  }
});

test("files with missing, empty, doubled or damaged tokens load", () => {
  const { tokens, merges } = smallSource();
  const without = read({ [`${KEY}tokens`]: ["x", ...tokens.slice(1)] });
  assert.equal(without.encode("\0a\0"), [97]);
  assert.match(without.warnings.join(), /none for 1 of the 256 bytes \(0x00\)/);
  const lacking = read({ [`${KEY}merges`]: [...merges, "he lx", ""] });
  assert.equal(lacking.encode("helx hello"), [256, 108, 120, 32, 259]);
  assert.is(lacking.warnings.length, 2);
  const odd = read({ [`${KEY}tokens`]: [...tokens.slice(0, 268), "", "", "\ufffd", "\ufffd"] });
  assert.equal(odd.encode("hello world \ufffd", { special: true }).slice(0, 2), [259, 264]);
  assert.is(odd.decode([269, 270]), "\ufffd");
});

test("a warning names what is neither done nor refused", () => {
  const eos = read({ [`${KEY}add_eos_token`]: true });
  assert.match(eos.warnings.join(), /^tokenizer\.ggml\.add_eos_token: no end token is added/);
  assert.equal(eos.encode("hello", { addBos: true }), [259]);
  const suppressed = read({ [`${KEY}suppress_tokens`]: Int32Array.of(5) });
  assert.match(suppressed.warnings.join(), /suppress_tokens: ignored/);
  const nothing = { add_sep_token: true, scores: new Float32Array(3), add_eos_token: false };
  const entries = Object.entries(nothing).map(([key, value]) => [KEY + key, value]);
  assert.equal(read(Object.fromEntries(entries)).warnings, []);
});

test.run();
