import { test } from "uvu";
import * as assert from "uvu/assert";
import { discountsOf, KneserNey } from "../../bench/learning/kneser-ney.js";
import { ngramLevels, sortText } from "../../bench/learning/ngrams.js";
import { assertClose } from "../support/close.js";
import { seededRandom } from "../support/random.js";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The n-grams of a size and their counts, read from the levels. */
function countsOf(text: string, longest: number, size: number): Record<string, number> {
  const levels = ngramLevels(sortText(encode(text), longest), longest);
  const found: Record<string, number> = {};
  const walk = (ngram: number, at: number, prefix: string): void => {
    if (at === size) {
      if (levels[at].counts[ngram] > 0) found[prefix] = levels[at].counts[ngram];
      return;
    }
    const { firsts } = levels[at];
    for (let i = firsts[ngram]; i < firsts[ngram + 1]; i++) {
      walk(i, at + 1, prefix + String.fromCharCode(levels[at + 1].symbols[i]));
    }
  };
  walk(0, 0, "");
  return found;
}

test("the longest n-grams are counted as they occur", () => {
  assert.equal(countsOf("abcabd", 2, 2), { ab: 2, bc: 1, bd: 1, ca: 1 });
  assert.equal(countsOf("aaaa", 3, 3), { aaa: 2 });
});

test("shorter n-grams are counted by the distinct bytes before them", () => {
  // b follows a and c, twice each; a follows b and itself; c follows b alone.
  assert.equal(countsOf("aabcbabcb", 2, 1), { a: 2, b: 2, c: 1 });
  // ab follows the start of the text, c and d; the start is not a byte.
  assert.equal(countsOf("abcabdab", 3, 2), { ab: 2, bc: 1, bd: 1, ca: 1, da: 1 });
});

test("a model of order 1 by hand", () => {
  // Pairs ab 2, ba 1; a and b follow one byte each. All discounts used are 0.75.
  const model = new KneserNey(sortText(encode("abab"), 2), 1);
  const none = model.probabilities(encode(""));
  const unigram = (0.25 + 1.5 / 256) / 2;
  assertClose([none[97], none[98], none[99]], [unigram, unigram, 1.5 / 256 / 2], { rel: 1e-14 });
  const afterA = model.probabilities(encode("a"));
  assertClose([afterA[98], afterA[97]], [(1.25 + 0.75 * unigram) / 2, (0.75 * unigram) / 2], {
    rel: 1e-14,
  });
  assert.equal([...model.probabilities(encode("xz"))], [...none], "unknown bytes: no context");
});

test("discounts from the counts of counts", () => {
  // n1..n4 = 4, 2, 1, 1: Y = 4 / 8.
  const discounts = discountsOf([1, 1, 1, 1, 2, 2, 3, 4, 9, 0]);
  assertClose(discounts, [0, 1 - (2 * 0.5 * 2) / 4, 2 - (3 * 0.5 * 1) / 2, 3 - 4 * 0.5], {
    rel: 1e-15,
  });
});

/** Probabilities straight from the definition, by counting substrings. */
function slowProbability(text: string, order: number, context: string, symbol: string): number {
  const ngrams = (size: number): Map<string, number> => {
    const before = new Map<string, Set<string>>();
    const occurring = new Map<string, number>();
    for (let at = 0; at + size <= text.length; at++) {
      const ngram = text.slice(at, at + size);
      occurring.set(ngram, (occurring.get(ngram) ?? 0) + 1);
      const set = before.get(ngram) ?? new Set();
      if (at > 0) set.add(text[at - 1]);
      before.set(ngram, set);
    }
    if (size === order + 1) return occurring;
    return new Map(Array.from(before, ([ngram, set]) => [ngram, set.size]));
  };
  const estimate = (given: string): number => {
    const lower = given === "" ? 1 / 256 : estimate(given.slice(1));
    const counts = ngrams(given.length + 1);
    const discounts = discountsOf([...counts.values()]);
    const after = [...counts].filter(([ngram]) => ngram.slice(0, -1) === given);
    const total = after.reduce((sum, [, count]) => sum + count, 0);
    if (total === 0) return lower;
    const taken = after.reduce((sum, [, count]) => sum + discounts[Math.min(count, 3)], 0);
    const own = counts.get(given + symbol) ?? 0;
    return (own - discounts[Math.min(own, 3)] + taken * lower) / total;
  };
  return estimate(context.slice(Math.max(0, context.length - order)));
}

for (const order of [0, 1, 3]) {
  test(`order ${order} agrees with the definition, and sums to 1`, () => {
    const random = seededRandom(order);
    const draw = (length: number): string =>
      Array.from({ length }, () => "abbcccd"[Math.floor(random() * 7)]).join("");
    const learnt = draw(150);
    const model = new KneserNey(sortText(encode(learnt), 4), order);
    for (let trial = 0; trial < 20; trial++) {
      const context = draw(trial % 6);
      const actual = model.probabilities(encode(context));
      const sum = actual.reduce((total, probability) => total + probability, 0);
      assertClose([sum], [1], { abs: 1e-12 });
      for (const symbol of "abcdx") {
        const expected = slowProbability(learnt, order, context, symbol);
        assertClose([actual[symbol.charCodeAt(0)]], [expected], { rel: 1e-12 }, context);
      }
    }
  });
}

test("bits of a text are the sum of those of its bytes", () => {
  const model = new KneserNey(sortText(encode("the cat sat on the mat, the cat"), 5), 4);
  const text = encode("the hat");
  let expected = 0;
  text.forEach((symbol, i) => {
    expected -= Math.log2(model.probabilities(text.subarray(0, i))[symbol]);
  });
  assertClose([model.bits(text)], [expected], { rel: 1e-12 });
});

test("a text with zero bytes is refused", () => {
  assert.throws(() => sortText(Uint8Array.of(1, 0), 2), /zero/);
});

test.run();
