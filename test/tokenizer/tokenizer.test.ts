import { test } from "uvu";
import * as assert from "uvu/assert";
import { PlmError } from "../../src/errors.js";
import { Tokenizer } from "../../src/tokenizer/tokenizer.js";
import { seededRandom } from "../support/random.js";
import { small, smallSource } from "./support/small.js";
import { randomText, wellFormed } from "./support/strings.js";

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof PlmError && error.code === code;
}

test("encodes by hand", () => {
  const cases: [string, number[]][] = [
    ["", []],
    ["hello world", [259, 264]],
    ["hell hel", [258, 32, 256, 108]],
    ["aaaaa", [266, 97]],
    ["aaa a", [265, 97, 32, 97]],
    ["\u00e9", [267]],
    ["\n", [10]],
    ["\0\x7f", [0, 127]],
    ["<|im_end|>", [60, 124, 105, 109, 95, 101, 110, 100, 124, 62]],
    ["[PAD272]", [91, 80, 65, 68, 50, 55, 50, 93]],
    ["a<tool>a", [97, 271, 97]],
    ["\ud83d", [0xef, 0xbf, 0xbd]],
  ];
  for (const [text, ids] of cases) assert.equal(small.encode(text), ids, JSON.stringify(text));
});

test("special tokens are parsed on request", () => {
  const special = (text: string): number[] => small.encode(text, { special: true });
  assert.equal(special("<|im_start|>hello<|im_end|>"), [269, 259, 270]);
  assert.equal(special("hel<|im_end|><|im_end|>lo"), [256, 108, 270, 270, 108, 111]);
  assert.equal(special("<tool><|im_end|"), [271, ...small.encode("<|im_end|")]);
  assert.equal(special("[PAD272]"), small.encode("[PAD272]"));
});

test("a begin token comes first if the source asks for it, and only once", () => {
  const source = { ...smallSource(), bosTokenId: 269, addBosToken: true };
  const tokenizer = new Tokenizer(source);
  const begin = (text: string, special = false): number[] =>
    tokenizer.encode(text, { addBos: true, special });
  assert.equal(begin("hello"), [269, 259]);
  assert.equal(begin(""), [269]);
  assert.equal(begin("<|im_start|>"), [269, ...small.encode("<|im_start|>")]);
  assert.equal(begin("<|im_start|>hello", true), [269, 259]);
  assert.equal(begin("<|im_start|><|im_start|>", true), [269, 269]);
  assert.equal(begin(" <|im_start|>", true), [269, 32, 269]);
  assert.equal(tokenizer.encode("<|im_start|>hello", { special: true }), [269, 259]);
  assert.equal(tokenizer.encode("hello"), [259]);
  assert.equal(small.encode("hello", { addBos: true }), [259]);

  // A begin token of any type counts as present if it was parsed at the beginning.
  for (const type of [1, 3, 4, 5]) {
    const tokenTypes = Array.from(source.tokenTypes, (own, id) => (id === 272 ? type : own));
    const unused = new Tokenizer({ ...source, tokenTypes, bosTokenId: 272 });
    const ids = unused.encode("[PAD272]hello[PAD272]", { addBos: true, special: true });
    assert.equal(ids, [272, 259, 272], `type ${type}`);
    const plain = unused.encode("[PAD272]hello", { addBos: true });
    const expected = type === 4 ? [272, 259] : [272, ...small.encode("[PAD272]hello")];
    assert.equal(plain, expected, `type ${type}`);
  }
});

test("a begin token does not replace another token, or text", () => {
  const { tokens, tokenTypes, ...source } = smallSource();
  const options = { addBos: true, special: true };
  const bang = new Tokenizer({ ...smallSource(), bosTokenId: 33, addBosToken: true });
  assert.equal(bang.encode("!hello", options), [33, 33, 259]);
  const longer = new Tokenizer({
    ...source,
    tokens: [...tokens, "<|im_start|>[X]"],
    tokenTypes: [...Array.from(tokenTypes), 3],
    bosTokenId: 269,
    addBosToken: true,
  });
  assert.equal(longer.encode("<|im_start|>[X]hello", options), [269, 274, 259]);
});

test("text is brought to normal form C unless the option says no", () => {
  assert.equal(small.encode("e\u0301"), [267]);
  assert.equal(small.encode("e\u0301", { normalize: "nfc" }), [267]);
  assert.equal(small.encode("e\u0301", { normalize: "none" }), [101, 0xcc, 0x81]);
  assert.equal(small.encode("e<tool>\u0301"), [101, 271, 0xcc, 0x81]);
});

test("decodes by hand", () => {
  assert.is(small.decode([259, 264]), "hello world");
  assert.is(small.decode([269, 259, 270, 271]), "<|im_start|>hello<|im_end|><tool>");
  assert.is(small.decode([269, 259, 270, 271], { special: false }), "hello<tool>");
  assert.is(small.decode([97, 272, 273, 97]), "a\na");
  assert.is(small.decode([0xef, 0xbb, 0xbf, 97]), "\ufeffa");
  assert.is(small.decode([0xf0, 0x9f, 97, 0xff]), "\ufffda\ufffd");
  assert.is(small.decode(Uint32Array.of(267)), "é");
  assert.is(small.decode([]), "");
});

test("token bytes are copies", () => {
  assert.equal([...small.tokenBytes(267)], [0xc3, 0xa9]);
  assert.equal([...small.tokenBytes(272)], []);
  small.tokenBytes(259).fill(0);
  assert.is(small.decode([259]), "hello");
});

test("encoded text decodes to the same text", () => {
  const random = seededRandom(9);
  for (let i = 0; i < 3000; i++) {
    const text = randomText(random, Math.floor(random() * 30));
    const ids = small.encode(text, { normalize: "none", special: i % 2 === 0 });
    assert.is(small.decode(ids), wellFormed(text));
    assert.is(small.decode(small.encode(text)), wellFormed(text).normalize("NFC"));
  }
});

test("earlier words do not change the tokens", () => {
  const random = seededRandom(10);
  for (let i = 0; i < 300; i++) {
    const text = randomText(random, 40);
    assert.equal(small.encode(text), new Tokenizer(smallSource()).encode(text));
  }
});

test("a normal token that is not in the alphabet stands for its own text", () => {
  const source = smallSource();
  const tokens = [...source.tokens, "你 好"];
  const tokenTypes = [...Array.from(source.tokenTypes), 1];
  assert.is(new Tokenizer({ ...source, tokens, tokenTypes }).decode([274]), "你 好");
});

test("ends are the file's and ChatML's", () => {
  assert.equal([...small.eosTokenIds], [268, 270]);
  assert.equal([...new Tokenizer({ ...smallSource(), eosTokenId: 5 }).eosTokenIds], [5, 268, 270]);
  assert.is(small.vocabSize, 274);
  assert.is(small.chatTemplate, undefined);
});

test("invalid ids are INVALID_TOKEN", () => {
  for (const id of [-1, 274, 1.5, Number.NaN, "1" as unknown as number]) {
    assert.throws(() => small.decode([97, id]), hasCode("INVALID_TOKEN"));
    assert.throws(() => small.tokenBytes(id), hasCode("INVALID_TOKEN"));
    assert.throws(() => small.createDecoder().push(id), hasCode("INVALID_TOKEN"));
  }
});

test("options that are not an object are refused", () => {
  for (const options of [null, "special", 1] as unknown as undefined[]) {
    assert.throws(() => small.encode("a", options), hasCode("INVALID_ARGUMENT"));
    assert.throws(() => small.decode([97], options), hasCode("INVALID_ARGUMENT"));
    assert.throws(() => small.createDecoder(options), hasCode("INVALID_ARGUMENT"));
  }
});

test("anything but a list of ids is refused", () => {
  for (const ids of [5, undefined, null, { length: -1 }, { length: 0.5 }]) {
    assert.throws(() => small.decode(ids as number[]), hasCode("INVALID_ARGUMENT"));
  }
});

test("invalid arguments are INVALID_ARGUMENT", () => {
  const notText = 5 as unknown as string;
  assert.throws(() => small.encode(notText), hasCode("INVALID_ARGUMENT"));
  const normalize = "nfd" as "nfc";
  assert.throws(() => small.encode("a", { normalize }), hasCode("INVALID_ARGUMENT"));
});

test("hostile text completes", () => {
  const n = 300000;
  for (const part of [
    "a",
    " ",
    "\n",
    "'",
    "a ",
    " \n",
    "'\u017f",
    "\u0301",
    "<|",
    "你",
    "\ud800",
  ]) {
    const text = part.repeat(n / part.length);
    const ids = small.encode(text, { special: true, normalize: "none" });
    assert.is(small.decode(ids), wellFormed(text), JSON.stringify(part));
  }
});

test.run();
