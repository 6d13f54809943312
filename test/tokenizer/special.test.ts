import { test } from "uvu";
import * as assert from "uvu/assert";
import { SpecialTokens } from "../../src/tokenizer/special.js";
import { assertThrows } from "../model/support/engine.js";
import { seededRandom } from "../support/random.js";

/** The definition: at each place the longest token, else the next unit. */
function naive(text: string, tokens: string[]): string[] {
  const found: string[] = [];
  for (let start = 0; start < text.length; ) {
    const here = tokens.filter((token) => token !== "" && text.startsWith(token, start));
    const longest = here.sort((a, b) => b.length - a.length)[0];
    if (longest) found.push(`${start} ${longest}`);
    start += longest?.length ?? 1;
  }
  return found;
}

test("matches equal the definition", () => {
  const random = seededRandom(6);
  const word = (n: number): string =>
    Array.from({ length: n }, () => "aab\u4e00"[Math.floor(random() * 4)]).join("");
  for (let i = 0; i < 2000; i++) {
    const tokens = Array.from({ length: Math.floor(random() * 6) }, () =>
      word(Math.floor(random() * 7)),
    );
    const text = word(Math.floor(random() * 60));
    const matches = new SpecialTokens(tokens.map((token, id) => [id, token])).match(text);
    const got = matches.map(({ id, start, end }) => {
      assert.is(text.slice(start, end), tokens[id]);
      return `${start} ${tokens[id]}`;
    });
    assert.equal(got, naive(text, tokens), JSON.stringify([tokens, text]));
  }
});

test("of equal tokens the first counts", () => {
  const special = new SpecialTokens([
    [7, "<x>"],
    [9, "<x>"],
  ]);
  assert.equal(special.match("a<x>"), [{ id: 7, start: 1, end: 4 }]);
});

test("a long token that almost matches everywhere costs no more than a short one", () => {
  const special = new SpecialTokens([
    [0, "a"],
    [1, `${"a".repeat(50000)}b`],
    [2, `b${"a".repeat(50000)}`],
  ]);
  assert.is(special.match("a".repeat(200000)).length, 200000);
});

test("too many characters for an automaton are refused", () => {
  const token = (i: number): [number, string] => [i, `${i}${"a".repeat(1000)}`];
  const tokens = (count: number) => Array.from({ length: count }, (_, i) => token(i));
  assert.is(new SpecialTokens(tokens(200)).match(token(7)[1])[0].id, 7);
  assertThrows(() => new SpecialTokens(tokens(300)), "UNSUPPORTED_FILE", "262144 characters");
});

test.run();
