import { test } from "uvu";
import * as assert from "uvu/assert";
import { Bpe } from "../../src/tokenizer/bpe.js";
import { byteToChar } from "../../src/tokenizer/bytes.js";
import { PairHeap } from "../../src/tokenizer/heap.js";
import { MergeTable } from "../../src/tokenizer/merges.js";
import { Symbols } from "../../src/tokenizer/symbols.js";
import { Vocabulary } from "../../src/tokenizer/vocabulary.js";
import { seededRandom } from "../support/random.js";

const BYTES = Array.from({ length: 256 }, (_, byte) => byteToChar(byte));

/** The tokens, all normal, as symbols. */
function symbolsOf(tokens: string[]): Symbols {
  const types = tokens.map(() => 1);
  return new Symbols(new Vocabulary(tokens, types));
}

/** Random merges over a few letters; token 256 + r comes from merge r. */
function randomMerges(random: () => number, letters: string, n: number): [string, string][] {
  const symbols = [...letters];
  const made = new Set(symbols);
  const merges: [string, string][] = [];
  while (merges.length < n) {
    const left = symbols[Math.floor(random() * symbols.length)];
    const right = symbols[Math.floor(random() * symbols.length)];
    if (made.has(left + right) || left.length + right.length > 20) continue;
    made.add(left + right);
    symbols.push(left + right);
    merges.push([left, right]);
  }
  return merges;
}

/** The definition: the lowest rank first, of equal ones the leftmost, until none is left. */
function naive(word: string, merges: [string, string][]): string[] {
  const ranks = new Map(merges.map(([left, right], rank) => [`${left} ${right}`, rank]));
  const symbols = [...word];
  for (;;) {
    let best = -1;
    let bestRank = Number.POSITIVE_INFINITY;
    for (let i = 0; i + 1 < symbols.length; i++) {
      const rank = ranks.get(`${symbols[i]} ${symbols[i + 1]}`) ?? Number.POSITIVE_INFINITY;
      if (rank < bestRank) [best, bestRank] = [i, rank];
    }
    if (best < 0) return symbols;
    symbols.splice(best, 2, symbols[best] + symbols[best + 1]);
  }
}

test("short and long words equal the definition", () => {
  const random = seededRandom(3);
  for (const [letters, count] of [
    ["a", 8],
    ["ab", 30],
    ["abc", 60],
  ] as const) {
    const merges = randomMerges(random, letters, count);
    const tokens = [...BYTES, ...merges.map((pair) => pair.join(""))];
    const symbols = symbolsOf(tokens);
    const lines = merges.map((pair) => pair.join(" "));
    const bpe = new Bpe(symbols, new MergeTable(symbols, lines));
    for (let n = 1; n < 200; n++) {
      const word = Array.from(
        { length: n },
        () => letters[Math.floor(random() * letters.length)],
      ).join("");
      const out: number[] = [];
      bpe.encode(new TextEncoder().encode(`-${word}-`), 1, n + 1, out);
      const got = out.map((id) => tokens[id]);
      assert.equal(got, naive(word, merges), word);
    }
  }
});

test("the heap gives pairs by rank, then position", () => {
  const random = seededRandom(4);
  const heap = new PairHeap(1);
  const pairs = Array.from({ length: 500 }, () => [
    Math.floor(random() * 2 ** 20),
    Math.floor(random() * 2 ** 32),
  ]);
  for (let i = 0; i < 100; i++) pairs.push([7, Math.floor(random() * 50)]);
  for (const [rank, position] of pairs) heap.push(rank, position);
  pairs.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  for (const pair of pairs) {
    assert.ok(heap.pop());
    assert.equal([heap.rank, heap.position], pair);
  }
  assert.not(heap.pop());
});

test("a line that is not a pair never applies, and a warning names it", () => {
  for (const merge of ["", "ab", " a", "a ", "a b c", "你 a"]) {
    const table = new MergeTable(symbolsOf([...BYTES, "ab"]), ["a b", merge]);
    assert.is(table.rankOf(97, 98), 0);
    assert.is(table.merged(1), -1, JSON.stringify(merge));
    const expected = `merges: ${JSON.stringify(merge)} at 1 is not a pair`;
    assert.is(table.warnings.length, 1);
    assert.ok(table.warnings[0].startsWith(expected), table.warnings[0]);
  }
});

test("of equal pairs the last counts", () => {
  const table = new MergeTable(symbolsOf([...BYTES, "ab", "bc"]), ["a b", "b c", "a b"]);
  assert.is(table.rankOf(97, 98), 2);
  assert.equal(table.warnings, []);
});

test("bytes without a token are left out, and a warning names them", () => {
  const symbols = symbolsOf([...BYTES.filter((char) => char !== "b"), "ab", "bc"]);
  const bpe = new Bpe(symbols, new MergeTable(symbols, ["a b"]));
  const out: number[] = [];
  bpe.encode(new TextEncoder().encode("abbbca"), 0, 6, out);
  assert.equal(out, [255, 98, 97]);
  assert.equal(bpe.warnings, ["tokens: none for 1 of the 256 bytes (0x62): left out"]);
});

test.run();
