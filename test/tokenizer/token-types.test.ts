/** Vocabularies with tokens of any type, against Hugging Face's tokenizer. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { openGguf } from "../../src/format/gguf.js";
import { BytesSource } from "../../src/sources/bytes-source.js";
import { byteToChar } from "../../src/tokenizer/bytes.js";
import { readTokenizerSource } from "../../src/tokenizer/metadata.js";
import { Tokenizer, type TokenizerSource } from "../../src/tokenizer/tokenizer.js";
import { TokenType } from "../../src/tokenizer/vocabulary.js";
import { seededRandom } from "../support/random.js";
import { huggingFaceTokenizer } from "./support/hugging-face.js";
import { small, smallSource } from "./support/small.js";

const { normal, unknown, control, userDefined, unused, byte } = TokenType;
const ALL_TYPES = [0, normal, unknown, control, userDefined, unused, byte, 7];
const BYTES = Array.from({ length: 256 }, (_, value) => byteToChar(value));
const utf8 = new TextEncoder();

/**
 * Characters of words; some are two bytes, one is not in normal form C. (Its composed form must not
 * be a token: the oracle also reads a text that becomes an added token as a whole as that token.)
 */
const LETTERS = [..."aabbc d!\n<|>éĠ", "e\u0323"];

function pick<T>(random: () => number, items: readonly T[]): T {
  return items[Math.floor(random() * items.length)];
}

function spell(text: string): string {
  return [...utf8.encode(text)].map(byteToChar).join("");
}

/** `count` merges of existing symbols, beginning with the bytes of LETTERS. */
function randomMerges(random: () => number, count: number): [left: string, right: string][] {
  const symbols = [...new Set(LETTERS.flatMap((letter) => [...spell(letter)]))];
  const merges: [string, string][] = [];
  for (let i = 0; i < count; i++) {
    const pair: [string, string] = [pick(random, symbols), pick(random, symbols)];
    if (pair.join("").length > 12) continue;
    symbols.push(pair.join(""));
    merges.push(pair);
  }
  return merges;
}

/** Tokens in any order: bytes, results of merges, and some more; `share` of them not normal. */
function randomSource(random: () => number, share: number): TokenizerSource {
  const merges = randomMerges(random, 60);
  const made = [...BYTES, ...merges.map((pair) => pair.join(""))];
  const others = ["<|a|>", "<|a|>b", "|>", "bc d", "a!", "é", "Ġ"].slice(0, random() * 8);
  const tokens = [...new Set([...made, ...others])];
  for (let i = tokens.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [tokens[i], tokens[j]] = [tokens[j], tokens[i]];
  }
  const isMade = new Set(made);
  const tokenTypes = tokens.map((text) => {
    if (!isMade.has(text)) return pick(random, [unknown, control, userDefined]);
    return random() < share ? pick(random, ALL_TYPES) : normal;
  });
  return { tokens, tokenTypes, merges: merges.map((pair) => pair.join(" ")) };
}

function randomText(random: () => number, tokens: readonly string[]): string {
  const part = (): string => (random() < 0.1 ? pick(random, tokens) : pick(random, LETTERS));
  // Left out, since the oracle splits by JavaScript's idea of white space.
  return Array.from({ length: random() * 30 }, part)
    .join("")
    .replace(/[\u0085\ufeff]/g, "");
}

/** The same vocabulary in the oracle; `special` as in EncodeOptions. */
function oracleOf(source: TokenizerSource, special: boolean): (text: string) => number[] {
  const { tokens, tokenTypes, merges } = source;
  const split = special ? [unknown, control, userDefined] : [userDefined];
  const added = tokens
    .map((text, id): [number, string] => [id, text])
    .filter(([id]) => (split as number[]).includes(tokenTypes[id]));
  const vocab = Object.fromEntries(tokens.map((text, id) => [text, id]));
  const tokenizer = huggingFaceTokenizer(vocab, merges, added);
  return (text) => tokenizer.encode(text).ids;
}

test("random vocabularies of all types encode as in Hugging Face's tokenizer", () => {
  const random = seededRandom(31);
  let notNormal = 0;
  for (let i = 0; i < 120; i++) {
    const source = randomSource(random, [0.02, 0.3, 1][i % 3]);
    const tokenizer = new Tokenizer(source);
    assert.equal(tokenizer.warnings, []);
    for (const special of [false, true]) {
      const oracle = oracleOf(source, special);
      for (let j = 0; j < 20; j++) {
        const text = randomText(random, source.tokens);
        const ids = tokenizer.encode(text, { special });
        assert.equal(ids, oracle(text), JSON.stringify([i, special, text]));
        notNormal += ids.filter((id) => source.tokenTypes[id] !== normal).length;
      }
    }
  }
  assert.ok(notNormal > 10000, `${notNormal} tokens were not normal`);
});

test("encoded plain text decodes to the same text, whatever the types", () => {
  const random = seededRandom(32);
  for (let i = 0; i < 60; i++) {
    const source = randomSource(random, 1);
    // The text decides for a token that is parsed before anything else.
    const tokenTypes = Array.from(source.tokenTypes, (type) => (type === userDefined ? 3 : type));
    const tokenizer = new Tokenizer({ ...source, tokenTypes });
    for (let j = 0; j < 20; j++) {
      const text = randomText(random, LETTERS);
      const ids = tokenizer.encode(text);
      assert.is(tokenizer.decode(ids), text.normalize("NFC"));
      assert.is(tokenizer.decode(ids, { special: false }), text.normalize("NFC"));
    }
  }
});

test("each type as a part, a result and a single byte, by hand", () => {
  const { tokens, merges } = smallSource();
  for (const type of ALL_TYPES) {
    // h, he, hello, the space, Ġw and the two bytes of é.
    const marked = new Set([104, 256, 259, 32, 260, 0xc3, 267]);
    const tokenTypes = Array.from(smallSource().tokenTypes, (own, id) =>
      marked.has(id) ? type : own,
    );
    const tokenizer = new Tokenizer({ tokens, tokenTypes, merges });
    const text = "hello wé é";
    assert.equal(tokenizer.encode(text), [259, 260, 267, 32, 267], `type ${type}`);
    assert.is(tokenizer.decode([259, 260, 267, 32, 267]), text);
    for (const id of marked) assert.equal(tokenizer.tokenBytes(id), small.tokenBytes(id));
  }
});

test("control and unknown tokens are hidden if text cannot become them, else they are text", () => {
  const { tokens, merges } = smallSource();
  const tokenTypes = Array.from(smallSource().tokenTypes);
  tokenTypes[259] = control;
  tokenTypes[33] = unknown;
  tokenTypes[269] = unknown;
  const tokenizer = new Tokenizer({ tokens, tokenTypes, merges });
  assert.equal(tokenizer.encode("<|im_start|>hello!"), [...small.encode("<|im_start|>"), 259, 33]);
  assert.equal(tokenizer.encode("<|im_start|>hello!", { special: true }), [269, 259, 33]);
  assert.is(tokenizer.decode([269, 259, 33]), "<|im_start|>hello!");
  assert.is(tokenizer.decode([269, 259, 33], { special: false }), "hello!");
});

test("of tokens with the same text a normal one counts, else the first", () => {
  const tokens = ["!", ...BYTES, "ab", "ab"];
  const tokenTypes = [control, ...BYTES.map(() => normal), unused, userDefined];
  const tokenizer = new Tokenizer({ tokens, tokenTypes, merges: ["a b"] });
  assert.equal(tokenizer.encode("!"), [34]);
  assert.equal(tokenizer.encode("!", { special: true }), [0]);
  assert.equal(tokenizer.encode("ab"), [258]);
  tokenTypes[258] = control;
  assert.equal(new Tokenizer({ tokens, tokenTypes, merges: ["a b"] }).encode("ab"), [257]);
});

/** Byte-pair encoding by texts: a result need not be a token. */
function naive(word: string, merges: readonly string[]): string[] {
  const symbols = [...spell(word)];
  for (;;) {
    let best = -1;
    let bestRank = -1;
    for (let i = 0; i + 1 < symbols.length; i++) {
      const rank = merges.lastIndexOf(`${symbols[i]} ${symbols[i + 1]}`);
      if (rank >= 0 && (best < 0 || rank < bestRank)) [best, bestRank] = [i, rank];
    }
    if (best < 0) return symbols;
    symbols.splice(best, 2, symbols[best] + symbols[best + 1]);
  }
}

test("merges through texts without a token apply; remaining ones become bytes", () => {
  const random = seededRandom(33);
  let bytes = 0;
  for (let i = 0; i < 200; i++) {
    const merges = randomMerges(random, 40).map((pair) => pair.join(" "));
    const made = merges.map((merge) => merge.replace(" ", "")).filter(() => random() < 0.6);
    const tokens = [...new Set([...BYTES.filter((char) => char !== "c"), ...made])];
    const tokenizer = new Tokenizer({ tokens, tokenTypes: tokens.map(() => normal), merges });
    const word = Array.from({ length: random() * 90 }, () => pick(random, [..."abcé"])).join("");
    const expected = naive(word, merges).flatMap((symbol) => {
      if (tokens.includes(symbol)) return [tokens.indexOf(symbol)];
      bytes += symbol.length;
      return [...symbol].map((char) => tokens.indexOf(char)).filter((id) => id >= 0);
    });
    assert.equal(tokenizer.encode(word), expected, word);
  }
  assert.ok(bytes > 1000, `${bytes} bytes were without a longer token`);
});

const REPORTS = join(process.cwd(), "..", "shared", "reports");

for (const [name, marked, text] of [
  ["merge-target-control", "nd", "The end, and xnd thunderland ndnd!"],
  ["bang-is-control-pad", "!", 'Oh! "No!" Hello!! World!'],
] as const) {
  test(`the report ${name} encodes as in Hugging Face's tokenizer`, async () => {
    const path = join(REPORTS, `${name}.gguf`);
    if (!existsSync(path)) {
      console.log("skipped: ../shared/reports is absent");
      return;
    }
    const { metadata } = await openGguf([new BytesSource(readFileSync(path))]);
    const source = readTokenizerSource(metadata);
    const tokenizer = Tokenizer.fromMetadata(metadata);
    const id = source.tokens.indexOf(marked);
    assert.is(source.tokenTypes[id], control);
    for (const special of [false, true]) {
      const ids = tokenizer.encode(text, { special });
      assert.equal(ids, oracleOf(source, special)(text));
      assert.ok(ids.includes(id));
      assert.is(tokenizer.decode(ids, { special: false }), text);
    }
  });
}

test.run();
