/** The tokenizer of a folder, from each form of its files. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { CheckpointFiles } from "../../src/checkpoint/files.js";
import { readTokenizer } from "../../src/checkpoint/tokenizer.js";
import { BlobSource } from "../../src/sources/blob-source.js";
import { Tokenizer, type TokenizerSource } from "../../src/tokenizer/tokenizer.js";
import { metadataOf } from "../../src/tokenizer/write-metadata.js";
import { seededRandom } from "../support/random.js";
import { hasShared, qwen2, qwen2Source, readShared } from "../tokenizer/support/qwen2.js";
import { randomText } from "../tokenizer/support/strings.js";
import { encodeJson, type Files } from "./support/checkpoint.js";
import { asFileList } from "./support/open.js";

const TEXT = new TextEncoder();

/** The tokenizer of files, for a vocabulary of this size. */
async function tokenizerOf(files: Files, vocabSize: number): Promise<TokenizerSource> {
  const sources = asFileList(files).map((file) => new BlobSource(file));
  const found = new CheckpointFiles(sources);
  return readTokenizer(found, (await found.json("config.json"))!, vocabSize);
}

/** Files with a small vocabulary, and others that replace or add some. */
function smallFiles(others: Record<string, unknown> = {}): Files {
  const vocab = { a: 0, b: 1, ab: 2 };
  const added = [
    { id: 3, content: "<end>", special: true },
    { id: 4, content: "<think>", special: false },
  ];
  const files: Files = new Map([["config.json", encodeJson({ eos_token_id: 3 })]]);
  const given = {
    "tokenizer.json": { added_tokens: added, model: { type: "BPE", vocab, merges: ["a b"] } },
    ...others,
  };
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    files.set(name, typeof value === "string" ? TEXT.encode(value) : encodeJson(value));
  }
  return files;
}

if (hasShared("qwen2-tokenizer")) {
  const source = qwen2Source();
  const added = [151643, 151644, 151645].map((id) => {
    return { id, content: source.tokens[id], special: true };
  });
  const config: [string, Uint8Array<ArrayBuffer>] = [
    "config.json",
    encodeJson({ pad_token_id: 151643 }),
  ];
  const decoder = Object.fromEntries(added.map((token) => [token.id, token]));
  const tokenizerConfig: [string, Uint8Array<ArrayBuffer>] = [
    "tokenizer_config.json",
    encodeJson({ bos_token: null, eos_token: "<|endoftext|>", added_tokens_decoder: decoder }),
  ];
  const vocab = JSON.parse(readShared("qwen2-tokenizer/vocab.json")) as Record<string, number>;
  const merges = [...source.merges];
  const forms: Record<string, Files> = {
    "vocab.json": new Map([
      ...[config, tokenizerConfig],
      ["vocab.json", TEXT.encode(readShared("qwen2-tokenizer/vocab.json"))],
      ["merges.txt", TEXT.encode(readShared("qwen2-tokenizer/merges.txt"))],
    ]),
  };
  for (const [name, list] of [
    ["texts", merges],
    ["pairs", merges.map((merge) => merge.split(" "))],
  ] as const) {
    const json = { added_tokens: added, model: { type: "BPE", vocab, merges: list } };
    const file = TEXT.encode(JSON.stringify(json));
    forms[name] = new Map([config, tokenizerConfig, ["tokenizer.json", file]]);
  }

  for (const [name, files] of Object.entries(forms)) {
    test(`the real vocabulary has the ids of GGUF's: ${name}`, async () => {
      const found = await tokenizerOf(files, 151936);
      assert.ok(found.tokens.every((text, id) => text === source.tokens[id]));
      assert.ok(Array.from(found.tokenTypes).every((type, id) => type === source.tokenTypes[id]));
      assert.ok(found.merges.every((merge, rank) => merge === source.merges[rank]));
      assert.is(found.merges.length, source.merges.length);
      assert.is(found.eosTokenId, 151643);
      assert.is(found.paddingTokenId, 151643);
      assert.is(found.bosTokenId, undefined);
      const tokenizer = new Tokenizer(found);
      const random = seededRandom(3);
      for (let i = 0; i < 50; i++) {
        const text = `${randomText(random, 40)}<|im_end|>`;
        const options = { special: i % 2 === 0 };
        assert.equal(tokenizer.encode(text, options), qwen2().encode(text, options));
      }
    });
  }
}

test("kinds of tokens, padding, ids and end tokens", async () => {
  const found = await tokenizerOf(
    smallFiles({
      "tokenizer_config.json": { bos_token: { content: "<think>" }, add_bos_token: true },
      "generation_config.json": { eos_token_id: [3, 4] },
    }),
    7,
  );
  assert.equal(found.tokens, ["a", "b", "ab", "<end>", "<think>", "[PAD5]", "[PAD6]"]);
  assert.equal([...Array.from(found.tokenTypes)], [1, 1, 1, 3, 4, 5, 5]);
  assert.equal(found.merges, ["a b"]);
  assert.is(found.bosTokenId, 4);
  assert.is(found.addBosToken, true);
  assert.is(found.eosTokenId, 3, "from config.json");
  assert.equal(found.eosTokenIds, [3, 4]);
  const one = await tokenizerOf(smallFiles({ "generation_config.json": { eos_token_id: 3 } }), 5);
  assert.is(one.eosTokenIds, undefined);
  const beyond = await tokenizerOf(
    smallFiles({ "generation_config.json": { eos_token_id: 9 } }),
    5,
  );
  const { warnings, eosTokenIds } = Tokenizer.fromMetadata(
    new Map(metadataOf(beyond).map(({ key, value }) => [key, value])),
  );
  assert.equal([...eosTokenIds], [3]);
  assert.match(warnings.join(), /eos_token_ids: expected 0 to 4, got 9; ignored/);
});

test("chat templates by file, by text and by list", async () => {
  const listed = [
    { name: "default", template: "listed" },
    { name: "rag", template: "other" },
  ];
  const cases: [Record<string, unknown>, string | undefined, object | undefined][] = [
    [{}, undefined, undefined],
    [{ "tokenizer_config.json": { chat_template: "text" } }, "text", undefined],
    [{ "tokenizer_config.json": { chat_template: listed } }, "listed", { rag: "other" }],
    [{ "chat_template.json": { chat_template: "json" } }, "json", undefined],
    [
      { "tokenizer_config.json": { chat_template: listed }, "chat_template.jinja": "file" },
      ...(["file", { rag: "other" }] as const),
    ],
  ];
  for (const [others, template, named] of cases) {
    const found = await tokenizerOf(smallFiles(others), 5);
    assert.is(found.chatTemplate, template);
    assert.equal(found.namedChatTemplates, named);
  }
});

test("added_tokens.json beside vocab.json", async () => {
  const files = smallFiles({
    "tokenizer.json": undefined,
    "vocab.json": { a: 0, b: 1, ab: 2 },
    "merges.txt": "#version: 0.2\r\na b\r\n",
    "added_tokens.json": { "<end>": 3 },
  });
  const found = await tokenizerOf(files, 5);
  assert.equal(found.merges, ["a b"]);
  assert.equal([...Array.from(found.tokenTypes)], [1, 1, 1, 3, 5]);
});

test.run();
