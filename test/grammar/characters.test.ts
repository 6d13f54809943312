/** Automata over code points: combined, measured, and written in UTF-8 and in JSON strings. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  complement,
  intersect,
  ofLength,
  ofTexts,
  subtract,
  unite,
} from "../../src/grammar/characters/combine.js";
import { accepts, type CharDfa, isEmpty } from "../../src/grammar/characters/dfa.js";
import { toJsonString } from "../../src/grammar/characters/json-string.js";
import { toUtf8 } from "../../src/grammar/characters/utf8.js";
import type { ByteDfa, Grammar } from "../../src/grammar/expression.js";
import { matchWhole } from "../../src/grammar/regex/compile.js";
import { seededRandom } from "../support/random.js";
import { TextGenerator } from "./support/generate.js";
import { randomPattern, randomText } from "./support/random-regex.js";
import { recognizes } from "./support/recognize.js";

const characters = suite("characters");

const grammarOf = (dfa: ByteDfa): Grammar => ({
  root: "root",
  rules: new Map([["root", { kind: "dfa", dfa }]]),
});

characters("combinations accept what both, either, or neither accept", () => {
  const random = seededRandom(4);
  for (let i = 0; i < 150; i++) {
    const a = matchWhole(randomPattern(random, 2));
    const b = matchWhole(randomPattern(random, 2));
    const cases: [CharDfa, (inA: boolean, inB: boolean) => boolean][] = [
      [intersect(a, b), (inA, inB) => inA && inB],
      [unite(a, b), (inA, inB) => inA || inB],
      [subtract(a, b), (inA, inB) => inA && !inB],
      [complement(a), (inA) => !inA],
    ];
    for (let j = 0; j < 20; j++) {
      const text = randomText(random, 4);
      for (const [dfa, expected] of cases) {
        assert.is(accepts(dfa, text), expected(accepts(a, text), accepts(b, text)), text);
      }
    }
    assert.ok(isEmpty(intersect(a, complement(a))));
    assert.ok(isEmpty(complement(unite(a, complement(a)))));
  }
});

characters("lengths count code points", () => {
  assert.ok(accepts(ofLength(2, 3), "😀é"));
  assert.not(accepts(ofLength(2, 3), "😀"));
  assert.ok(accepts(ofLength(2, Number.POSITIVE_INFINITY), "x".repeat(50)));
  assert.ok(isEmpty(ofTexts(["\ud800"])));
});

characters("texts inside a JSON string parse to texts of the automaton", () => {
  const random = seededRandom(5);
  for (let i = 0; i < 100; i++) {
    const dfa = matchWhole(randomPattern(random, 2));
    if (isEmpty(dfa)) continue;
    const inside = grammarOf(toJsonString(dfa));
    const plain = grammarOf(toUtf8(dfa));
    const generator = new TextGenerator(inside, random);
    for (let j = 0; j < 10; j++) {
      const text: string = JSON.parse(`"${generator.text()}"`);
      assert.ok(accepts(dfa, text), JSON.stringify(text));
      assert.ok(recognizes(plain, text));
      assert.ok(recognizes(inside, JSON.stringify(text).slice(1, -1)), JSON.stringify(text));
    }
  }
});

characters.run();
