import { test } from "uvu";
import * as assert from "uvu/assert";
import { classOf } from "../../src/tokenizer/classes.js";
import { endOfWord } from "../../src/tokenizer/pretokenize.js";
import { seededRandom } from "../support/random.js";
import { randomText, wellFormed } from "./support/strings.js";

// The pattern in JavaScript's terms: no inline flags, and \s means more than White_Space there.
const S = "\\p{White_Space}";
const QWEN2 = new RegExp(
  "'(?:[sS\u017f]|[tT]|[rR][eE]|[vV][eE]|[mM]|[lL][lL]|[dD])|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}" +
    `| ?[^${S}\\p{L}\\p{N}]+[\\r\\n]*|${S}*[\\r\\n]+|${S}+(?!\\P{White_Space})|${S}+`,
  "gu",
);

function words(text: string): string[] {
  const bytes = new TextEncoder().encode(text);
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const found: string[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = endOfWord(bytes, start, bytes.length);
    assert.ok(end > start && end <= bytes.length, `word from ${start} to ${end}`);
    found.push(decoder.decode(bytes.subarray(start, end)));
    start = end;
  }
  return found;
}

test("the contraction letters are all characters that fold to them", () => {
  const folded = /^(?:s|t|re|ve|m|ll|d)$/iu;
  for (let code = 0x80; code < 0x110000; code++) {
    const char = String.fromCodePoint(code);
    if (folded.test(char) || /^[evlr]$/iu.test(char)) assert.is(code, 0x17f);
  }
});

test("classes are those of the runtime's regular expressions, on all planes", () => {
  for (let code = 0; code < 0x110000; code += code < 0x3100 ? 1 : 37) {
    const char = String.fromCodePoint(code);
    const expected = /[\r\n]/.test(char)
      ? 5
      : /\p{L}/u.test(char)
        ? 2
        : /\p{N}/u.test(char)
          ? 3
          : /\p{White_Space}/u.test(char)
            ? 4
            : 1;
    assert.is(classOf(code), expected, code.toString(16));
  }
});

test("words by hand", () => {
  const cases: [string, string[]][] = [
    ["", []],
    ["Hello, world! 12", ["Hello", ",", " world", "!", " ", "1", "2"]],
    ["  spaced  text\n", [" ", " spaced", " ", " text", "\n"]],
    ["I'll 'RE you'Ve", ["I", "'ll", " '", "RE", " you", "'Ve"]],
    ["it'ſun 'x 'l", ["it", "'ſ", "un", " '", "x", " '", "l"]],
    ["'x'", ["'x", "'"]],
    ["a \n \n b", ["a", " \n \n", " b"]],
    ["a \n  ", ["a", " \n", "  "]],
    ["x...\r\n\r\ny", ["x", "...\r\n\r\n", "y"]],
    ["\tx\t\ty\t1", ["\tx", "\t", "\ty", "\t", "1"]],
    ["\u00a0x \u00a0!", ["\u00a0x", " ", "\u00a0", "!"]],
    ["\u0085\u0085", ["\u0085\u0085"]],
    ["a\ufeff\ufeff b", ["a", "\ufeff\ufeff", " b"]],
    ["\ud800x", ["\ufffdx"]],
    ["𝒳𐐷 🚀𠀀", ["𝒳𐐷", " 🚀", "𠀀"]],
  ];
  for (const [text, expected] of cases) {
    assert.equal(words(text), expected, JSON.stringify(text));
  }
});

test("the scanner equals the pattern on random text", () => {
  const random = seededRandom(1);
  for (let i = 0; i < 20000; i++) {
    const text = randomText(random, 1 + Math.floor(random() * 24));
    const expected = wellFormed(text).match(QWEN2) ?? [];
    assert.equal(words(text), [...expected], JSON.stringify(text));
  }
});

test("the scanner equals the pattern on random code points", () => {
  const random = seededRandom(2);
  for (let i = 0; i < 3000; i++) {
    const codes = Array.from({ length: 12 }, () =>
      Math.floor(random() * (random() < 0.5 ? 0x3000 : 0x110000)),
    );
    const text = String.fromCodePoint(...codes);
    assert.equal(words(text), [...(wellFormed(text).match(QWEN2) ?? [])], codes.join());
  }
});

test.run();
