import { test } from "uvu";
import * as assert from "uvu/assert";
import { openGguf } from "../../src/format/gguf.js";
import { encodeGguf } from "../../src/format/writer.js";
import { BytesSource } from "../../src/sources/bytes-source.js";
import { readTokenizerSource } from "../../src/tokenizer/metadata.js";
import { Tokenizer } from "../../src/tokenizer/tokenizer.js";
import { trainTokenizer } from "../../src/tokenizer/train.js";
import { metadataOf } from "../../src/tokenizer/write-metadata.js";
import { smallSource } from "./support/small.js";

test("a trained vocabulary reads back from a file", async () => {
  const text = "she sells sea shells: \u00e9t\u00e9, \u4e16\u754c, she sells sea shells";
  const trained = await trainTokenizer([text], { vocabSize: 304 });
  const file = encodeGguf(metadataOf(trained), []);
  const { metadata } = await openGguf([new BytesSource(file)]);
  assert.is(metadata.get("tokenizer.ggml.add_bos_token"), false);
  assert.is(metadata.get("tokenizer.ggml.bos_token_id"), trained.eosTokenId);
  const read = readTokenizerSource(metadata);
  assert.equal(read.tokens, trained.tokens);
  assert.equal(read.tokenTypes, trained.tokenTypes);
  assert.equal(read.merges, trained.merges);
  assert.is(read.eosTokenId, trained.eosTokenId);
  assert.is(read.paddingTokenId, trained.paddingTokenId);
  assert.is(read.chatTemplate, undefined);
  const tokenizer = Tokenizer.fromMetadata(metadata);
  assert.is(tokenizer.vocabSize, 304);
  assert.is(tokenizer.encode(text).length, trained.textTokens);
});

test("entries hold everything that a tokenizer has, and nothing that it lacks", () => {
  const ends = { eosTokenIds: [268, 3], eotTokenId: 270, eomTokenId: 4 };
  const source = { ...smallSource(), ...ends, chatTemplate: "{{ messages }}" };
  const entries = new Map(metadataOf(source).map(({ key, value }) => [key, value]));
  assert.equal(readTokenizerSource(entries), {
    ...source,
    tokenTypes: Int32Array.from(source.tokenTypes),
    bosTokenId: source.eosTokenId,
    paddingTokenId: undefined,
    addBosToken: false,
    warnings: [],
  });
  assert.not(entries.has("tokenizer.ggml.padding_token_id"));
});

test("a begin token is written together with whether it is added", () => {
  const entries = new Map(
    metadataOf({ ...smallSource(), bosTokenId: 269, addBosToken: true }).map((entry) => [
      entry.key,
      entry.value,
    ]),
  );
  const tokenizer = Tokenizer.fromMetadata(entries);
  assert.is(tokenizer.bosTokenId, 269);
  assert.equal(tokenizer.encode("hello", { addBos: true }), [269, 259]);
});

test.run();
