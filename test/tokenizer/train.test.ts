import { test } from "uvu";
import * as assert from "uvu/assert";
import { PlmError } from "../../src/errors.js";
import { Tokenizer } from "../../src/tokenizer/tokenizer.js";
import { type TrainedTokenizer, trainTokenizer } from "../../src/tokenizer/train.js";
import { seededRandom } from "../support/random.js";
import { hasShared, readShared } from "./support/qwen2.js";
import { referenceTrainer } from "./support/reference-trainer.js";
import { randomText, wellFormed } from "./support/strings.js";

const END = "<|endoftext|>";

test("learns by hand", async () => {
  const cases: [string[], string[]][] = [
    [["a"], []],
    [["ab"], []],
    [["aaa"], ["a a"]],
    [["aaaaaaa"], ["a a", "aa aa"]],
    // All come twice: of the left tokens " " is the smallest, then " c", then "a".
    [["ab cd ab cd"], ["\u0120 c", "\u0120c d", "a b"]],
    [["b, ab", "ab"], ["a b"]],
    [["\u00e9\u00e9"], ["\u00c3 \u00a9"]],
    [["e\u0301\u00e9"], ["\u00c3 \u00a9"]],
    [["12121212"], []],
  ];
  for (const [texts, merges] of cases) {
    const trained = await trainTokenizer(texts, { vocabSize: 512 });
    assert.equal(trained.merges, merges, JSON.stringify(texts));
  }
});

test("the vocabulary is bytes, merges, special tokens, unused tokens", async () => {
  const specialTokens = ["<|end|>", "<|unused1|>"];
  const trained = await trainTokenizer(["abab ab"], { vocabSize: 264, specialTokens });
  assert.equal(trained.merges, ["a b"]);
  assert.is(trained.tokens[0x61], "a");
  assert.is(trained.tokens[0x20], "\u0120");
  assert.equal(trained.tokens.slice(256), [
    "ab",
    ...specialTokens,
    ...["<|unused0|>", "<|unused2|>", "<|unused3|>", "<|unused4|>", "<|unused5|>"],
  ]);
  assert.equal([...trained.tokenTypes.slice(255)], [1, 1, 3, 3, 5, 5, 5, 5, 5]);
  assert.is(trained.eosTokenId, 257);
  assert.is(trained.paddingTokenId, 257);
  assert.is(trained.unusedTokens, 5);
  assert.is(trained.textBytes, 7);
  assert.is(trained.textTokens, 4);
  const tokenizer = new Tokenizer(trained);
  assert.equal(tokenizer.encode("ab<|end|>", { special: true }), [256, 257]);
  assert.ok(tokenizer.eosTokenIds.has(257));
});

test("the smallest vocabulary is bytes and the end of text", async () => {
  const trained = await trainTokenizer(["abab"], { vocabSize: 257 });
  assert.equal(trained.merges, []);
  assert.equal(trained.tokens.slice(256), [END]);
  assert.is(trained.unusedTokens, 0);
});

/** Trains both ways, and tells what differs. */
async function compare(texts: string[], merges: number, minFrequency: number): Promise<void> {
  const trained = await trainTokenizer(texts, { vocabSize: 257 + merges, minFrequency });
  const expected = referenceTrainer(texts, merges, minFrequency);
  const name = JSON.stringify(texts).slice(0, 100);
  assert.equal(trained.merges, expected.merges, name);
  assert.is(trained.textTokens, expected.textTokens, name);
  assert.is(trained.unusedTokens, merges - expected.merges.length);
  assert.is(new Set(trained.tokens).size, trained.tokens.length, name);
}

test("a trainer that counts everything again learns the same", async () => {
  const fixed = [
    ["aaaa aaa aa a aaaaa", "baaab aab"],
    ["abababab babab ababa bb"],
    ["she sells sea shells by the sea shore", "the shells she sells are sea shells"],
    ["世界 世界世 世", "é è éé 😁😁 😁"],
    [`x${END}y${END}`, "end of text<|endof"],
    ["it's it'S IT'LL we'Re\n\n  \r\n\t a\u00a0b"],
  ];
  for (const texts of fixed) {
    for (const minFrequency of [1, 2, 3]) await compare(texts, 60, minFrequency);
  }
  const random = seededRandom(8);
  for (let i = 0; i < 20; i++) {
    const letters = Array.from({ length: 300 }, () => "aab bc\n"[Math.floor(random() * 7)]);
    await compare([letters.join("")], 80, 1 + (i % 2));
    await compare([wellFormed(randomText(random, 120))], 80, 2);
  }
});

test("long words take no longer than as many bytes of short ones", async () => {
  const random = seededRandom(3);
  const word = Array.from({ length: 300_000 }, () => "abcdefgh"[Math.floor(random() * 8)]).join("");
  const trained = await trainTokenizer([word, "z".repeat(300_000)], { vocabSize: 1257 });
  assert.is(trained.merges.length, 1000);
  const tokenizer = new Tokenizer(trained);
  const count = tokenizer.encode(word).length + tokenizer.encode("z".repeat(300_000)).length;
  assert.is(count, trained.textTokens);
});

const DOCUMENTS = ["the cat sat", "the dog sat down", "a cat and a dog", "the end", "dog days"];

test("the outcome depends neither on the order of documents nor on how they come", async () => {
  const options = { vocabSize: 300 };
  const first = await trainTokenizer(DOCUMENTS, options);
  assert.equal(await trainTokenizer(DOCUMENTS, options), first);
  assert.equal(await trainTokenizer([...DOCUMENTS].reverse(), options), first);
  async function* slowly(): AsyncGenerator<string> {
    yield "";
    for (const text of DOCUMENTS) yield text;
  }
  assert.equal(await trainTokenizer(slowly(), options), first);
});

test("words do not span documents", async () => {
  const trained = await trainTokenizer(["ab", "ab", "c", "c", "ab", "c"], { vocabSize: 264 });
  assert.equal(trained.merges, ["a b"]);
});

test("special tokens in texts are text, unless they are cut out", async () => {
  const texts = DOCUMENTS.map((text) => `${text}${END}`);
  const asText = await trainTokenizer(texts, { vocabSize: 300 });
  assert.ok(asText.merges.includes("< |"));
  assert.is(asText.textBytes, texts.join("").length);
  const joined = [texts.join("")];
  const cut = await trainTokenizer(joined, { vocabSize: 300, special: true });
  assert.equal(cut, await trainTokenizer(DOCUMENTS, { vocabSize: 300 }));
});

test("without normal form C the bytes are learnt as they are", async () => {
  const texts = ["e\u0301e\u0301"];
  const trained = await trainTokenizer(texts, { vocabSize: 258, normalize: "none" });
  assert.equal(trained.merges, ["\u00cc \u0123"]);
  assert.is(trained.textBytes, 6);
});

test("the vocabulary encodes its text as it was learnt, and gives it back", async () => {
  if (!hasShared("tinystories")) return;
  const text = readShared("tinystories/tinystories-valid-0.8MB.no-separators.txt");
  const trained = await trainTokenizer([text], { vocabSize: 1024 });
  assert.is(trained.unusedTokens, 0);
  const tokenizer = new Tokenizer(trained);
  const ids = tokenizer.encode(text);
  assert.is(ids.length, trained.textTokens);
  assert.ok(trained.textTokens < trained.textBytes / 2);
  assert.is(tokenizer.decode(ids), text.normalize("NFC"));
  const stories = text.split("\n\n").slice(0, 500);
  for (const story of stories) {
    const tokens = tokenizer.encode(story);
    assert.is(tokenizer.decode(tokens), story.normalize("NFC"));
    assert.ok(tokens.length <= new TextEncoder().encode(story).length);
  }
});

test("what cannot be trained on is INVALID_ARGUMENT", async () => {
  const cases: [texts: unknown, options: unknown, message: RegExp][] = [
    [[], { vocabSize: 300 }, /texts: expected some text, got none/],
    [["", ""], { vocabSize: 300 }, /texts: expected some text/],
    [[END], { vocabSize: 300, special: true }, /texts: expected some text/],
    ["text", { vocabSize: 300 }, /got a string/],
    [["a", 5], { vocabSize: 300 }, /texts\[1\]: expected a string, got a number/],
    [["a", "b\ud800c"], { vocabSize: 300 }, /texts\[1\]: .*lone surrogate d800 at 1/],
    [["\udc00"], { vocabSize: 300 }, /lone surrogate dc00 at 0/],
    [["a"], { vocabSize: 256 }, /vocabSize: expected an integer from 257 to 1048576, got 256/],
    [["a"], { vocabSize: 2 ** 20 + 1 }, /vocabSize/],
    [["a"], { vocabSize: 300.5 }, /vocabSize/],
    [["a"], {}, /vocabSize: .* got nothing/],
    [["a"], { vocabSize: 257, specialTokens: ["<a>", "<b>"] }, /from 258/],
    [["a"], { vocabSize: 300, minFrequency: 0 }, /minFrequency/],
    [["a"], { vocabSize: 300, normalize: "nfd" }, /normalize: .*"nfd"/],
    [["a"], { vocabSize: 300, specialTokens: [] }, /specialTokens/],
    [["a"], { vocabSize: 300, specialTokens: "<a>" }, /specialTokens/],
    [["a"], { vocabSize: 300, specialTokens: [""] }, /specialTokens/],
    [["a"], { vocabSize: 300, specialTokens: ["\ud800"] }, /specialTokens/],
    [["a"], { vocabSize: 300, specialTokens: ["<a>", "<a>"] }, /"<a>" twice/],
    [["a"], { vocabSize: 300, specialTokens: ["a"] }, /learnt too, got "a"/],
    [["abab"], { vocabSize: 300, specialTokens: ["ab"] }, /learnt too, got "ab"/],
  ];
  for (const [texts, options, message] of cases) {
    const error: unknown = await trainTokenizer(texts as never, options as never).then(
      (trained: TrainedTokenizer) => trained,
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof PlmError, String(message));
    assert.is((error as PlmError).code, "INVALID_ARGUMENT");
    assert.match((error as PlmError).message, message);
  }
});

test.run();
