/** Regular expressions against the engine's own, and the limits on hostile ones. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { PlmError } from "../../src/errors.js";
import { accepts, type CharDfa } from "../../src/grammar/characters/dfa.js";
import { matchWhole, regexGrammar, search } from "../../src/grammar/regex/compile.js";
import { seededRandom } from "../support/random.js";
import { randomPattern, randomText } from "./support/random-regex.js";
import { recognizes } from "./support/recognize.js";

const regex = suite("regular expressions");

/** Compares an automaton with RegExp on a text. */
function check(dfa: CharDfa, expected: RegExp, text: string): void {
  const message = `${expected} on ${JSON.stringify(text)}`;
  assert.is(accepts(dfa, text), expected.test(text), message);
}

regex("random patterns accept what RegExp accepts, as a whole and in a search", () => {
  const random = seededRandom(1);
  for (let i = 0; i < Number(process.env.PATTERNS ?? 1500); i++) {
    const pattern = randomPattern(random);
    const whole = matchWhole(pattern);
    const found = search(pattern);
    for (let j = 0; j < 20; j++) {
      const text = randomText(random);
      check(whole, new RegExp(`^(?:${pattern})$`, "u"), text);
      check(found, new RegExp(pattern, "u"), text);
    }
  }
});

regex("a pattern's UTF-8 is that of its texts", () => {
  const random = seededRandom(2);
  for (let i = 0; i < 300; i++) {
    const pattern = randomPattern(random);
    const grammar = regexGrammar(pattern);
    const expected = new RegExp(`^(?:${pattern})$`, "u");
    for (let j = 0; j < 10; j++) {
      const text = randomText(random, 5);
      assert.is(recognizes(grammar, text), expected.test(text), `${pattern} ${text}`);
    }
  }
});

regex("bytes that are no UTF-8 match nothing", () => {
  const grammar = regexGrammar("[^]*");
  const invalid = [
    [0x80],
    [0xc0, 0x80],
    [0xed, 0xa0, 0x80],
    [0xf4, 0x90, 0x80, 0x80],
    [0xe0, 0x80, 0x80],
  ];
  for (const bytes of invalid) assert.not(recognizes(grammar, Uint8Array.from(bytes)), `${bytes}`);
  for (const text of ["\u{10ffff}", "\ud7ff\ue000", "\u0800\u07ff\u{10000}", "\0"]) {
    assert.ok(recognizes(grammar, text), JSON.stringify(text));
  }
});

regex("what only patterns without the flag u allow has its one meaning", () => {
  const cases: [string, string, boolean][] = [
    ["a\\-b\\_", "a-b_", true],
    ["a{,5}", "a{,5}", true],
    ["{}]", "{}]", true],
    ["[\\w-.]+", "a-.", true],
    ["x{a}", "x{a}", true],
  ];
  for (const [pattern, text, expected] of cases) {
    assert.is(accepts(matchWhole(pattern), text), expected, pattern);
    assert.is(new RegExp(`^(?:${pattern})$`).test(text), expected, pattern);
  }
});

/** The message of a refused pattern. */
function refusal(pattern: string): string {
  try {
    regexGrammar(pattern);
  } catch (error) {
    const { code, argument, message } = PlmError.from(error)!;
    assert.equal([code, argument], ["INVALID_ARGUMENT", "responseFormat"], pattern);
    return message;
  }
  throw new Error(`${pattern.slice(0, 50)} was not refused`);
}

regex("what is not supported is refused by name and position", () => {
  const cases: [string, RegExp][] = [
    ["a(?=b)", /without lookahead, got "\(\?=b\)" at position 1$/],
    ["a(?!b)", /without lookahead/],
    ["(?<=a)b", /without lookbehind, got .* position 0$/],
    ["(?<!a)b", /without lookbehind/],
    ["(a)\\1", /without backreferences, got "\\\\1" at position 3$/],
    ["(?<n>a)\\k<n>", /without backreferences/],
    ["a\\b", /without word boundaries/],
    ["\\Bb", /without word boundaries/],
    ["(?i:a)", /without this kind of group/],
    ["\\A", /without the escape \\A/],
    ["\\07", /without octal escapes/],
    ["\\p{Nonsense}", /expected a property of Unicode/],
    ["\\p", /expected a property of Unicode/],
  ];
  for (const [pattern, expected] of cases) assert.match(refusal(pattern), expected, pattern);
});

regex("invalid patterns are refused", () => {
  const invalid = [
    ...["(", ")", "(a", "a)", "[a", "[", "*", "a**", "a{2}{3}", "+a", "a|*", "^*", "$+", "a{2,1}"],
    ...[
      "[b-a]",
      "\\",
      "\\u{110000}",
      "\\u12",
      "\\x1",
      "\\c",
      "(?",
      "(?<",
      "(?<1>a)",
      "(?<a>b)(?<a>c)",
    ],
    ...["{1}", "(?#a)"],
  ];
  for (const pattern of invalid) {
    assert.throws(() => new RegExp(pattern, "u"), undefined, pattern);
    assert.match(refusal(pattern), /regular expression/, pattern);
  }
});

regex("hostile patterns are refused quickly", () => {
  const hostile = [
    "(a|b)*a(a|b){30}",
    "((((a{1000}){1000}){1000}){1000}){1000}",
    "((((a?){1000}){1000}){1000}){1000}",
    "(?:){1,1000000000}",
    "a{1000000000}",
    "a".repeat(1_000_000),
    "(".repeat(10_000) + ")".repeat(10_000),
    "(?:".repeat(10_000),
    "[".repeat(40_000),
    "(a|aa|aaa|b?)*".repeat(2_000),
    "\\p{L}\\P{Lu}".repeat(1_000),
    "(x+x+)+y|(.*){20,}.{500}.*a.{12}b",
    "|".repeat(49_000),
    "[^a]{1,9999}",
  ];
  for (const pattern of hostile) {
    const start = performance.now();
    const name = pattern.slice(0, 30);
    try {
      regexGrammar(pattern);
      search(pattern);
    } catch (error) {
      assert.is(PlmError.from(error)?.code, "INVALID_ARGUMENT", `${name}: ${error}`);
    }
    const took = performance.now() - start;
    if (process.env.TIMES !== undefined) console.log(name, took);
    assert.ok(took < 5000, `${name} took ${took} ms`);
  }
  // Nothing, however often, is nothing.
  assert.ok(accepts(matchWhole("(?:(?:){1000000000}){1000000000}"), ""));
});

regex.run();
