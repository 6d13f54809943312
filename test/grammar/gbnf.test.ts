/** GBNF: what it means, by the reference, and what is refused. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { parseGbnf } from "../../src/grammar/gbnf/parse.js";
import { recognizes } from "./support/recognize.js";

/** Checks which texts a grammar has. */
function check(text: string, accepted: readonly string[], refused: readonly string[]): void {
  const grammar = parseGbnf(text);
  for (const each of accepted) assert.ok(recognizes(grammar, each), `${text}: ${each}`);
  for (const each of refused) assert.not(recognizes(grammar, each), `${text}: ${each}`);
}

test("literals, sets and escapes", () => {
  check('root ::= "ab\\n\\t\\"\\\\\\x41\\u00e9\\U0001F600"', ['ab\n\t"\\Aé😀'], ["ab", ""]);
  check("root ::= [a-cx]", ["a", "b", "x"], ["d", "-", "ab"]);
  check("root ::= [^a-c\\]\\n]", ["d", "é", "😀", "^"], ["a", "]", "\n", ""]);
  check("root ::= [-a] [a-] [é-ö]", ["--é", "aaö"], ["b-é", "--e"]);
  check("root ::= . .", ["é😀", "\n\n"], ["a", "aaa"]);
  check('root ::= ""', [""], ["a"]);
});

test("alternatives, groups and repetitions", () => {
  check('root ::= "a" | "b" "c" |', ["a", "bc", ""], ["b", "abc"]);
  check('root ::= "ab"* ("c" | "d")+ "e"?', ["ababcde", "c"], ["aabc", "e", "ababab"]);
  check('root ::= "a"{2} "b"{1,} "c"{0,2}', ["aab", "aabbbcc"], ["ab", "aabccc"]);
  check('root ::= ("a" "b"?){2}?', ["", "aa", "abab"], ["a", "ababab"]);
});

test("rules, comments and lines", () => {
  const lines = [
    "# a list",
    "root ::= list # comments may follow",
    'list ::= "[" (item ("," item)*',
    '  )? "]"',
    "item ::=",
    "  [0-9]+",
    "  | list",
    "",
  ];
  for (const end of ["\n", "\r\n"]) {
    check(lines.join(end), ["[]", "[1,[2,3],[]]"], ["[", "[1,]", "1"]);
  }
});

test("what is no GBNF is refused with its line", () => {
  const refused: [text: string, message: RegExp][] = [
    ['root = "a"', /line 1: expected `::=`, got "= \\"a\\""/],
    ['root ::= "a', /line 1: expected the end of a literal, `"`, got the end/],
    ["root ::= [a", /expected the end of a set, `\]`, got the end/],
    ["root ::= (a", /expected `\)`, got the end/],
    ['root ::= "a"\n\nx ::= "\\q"', /line 3: expected an escape .* got "q\\""/],
    ['root ::= "\\ud800"', /expected a Unicode character, got U\+D800/],
    ['root ::= "a"{3,2}', /at least its minimum, got 3 to 2/],
    ['root ::= "a"{x}', /expected an integer/],
    ['root ::= "a"{99999999999}', /expected an integer up to 2\^30/],
    ['root ::= "a"\nroot ::= "b"', /line 2: expected one rule root, got a second/],
    ['root ::= "a" *+ ) "b"', /line 1: expected the end of the rule, got "\) \\"b\\""/],
    ["root ::= <think>", /expected the end of the rule, got "<think>"/],
    ["::=", /expected the name of a rule/],
    [`root ::= ${"(".repeat(300)}`, /expected at most 200 nested groups, got more/],
  ];
  for (const [text, message] of refused) {
    assert.throws(() => parseGbnf(text), message, text.slice(0, 40));
  }
});

test.run();
