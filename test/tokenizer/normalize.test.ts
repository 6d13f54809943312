import { test } from "uvu";
import * as assert from "uvu/assert";
import { normalizeNfc } from "../../src/tokenizer/normalize.js";
import { seededRandom } from "../support/random.js";
import { randomText } from "./support/strings.js";

/** Marks of many combining classes; some decompose or are starters. */
const MARKS =
  "\u0300\u0301\u0315\u0316\u0323\u0327\u0334\u0338\u0344\u0345\u05b0\u0651\u093e\u094d";
const MORE_MARKS = "\u0b3e\u3099\u{1d165}\u{1d16d}\u{1d15e}\u20d2\u302a";

test("equals String.prototype.normalize on random text", () => {
  const random = seededRandom(7);
  for (let i = 0; i < 5000; i++) {
    const text = randomText(random, 20);
    assert.is(normalizeNfc(text), text.normalize("NFC"));
  }
});

test("equals it on long runs of marks", () => {
  const random = seededRandom(8);
  const marks = [...MARKS, ...MORE_MARKS];
  for (let i = 0; i < 100; i++) {
    const kinds = marks.filter(() => random() < 0.5);
    const run = Array.from({ length: 600 }, () => kinds[Math.floor(random() * kinds.length)] ?? "");
    const text = `${run.slice(0, 5).join("")} é${run.join("")}x\u0301${run.join("")}`;
    assert.is(normalizeNfc(text), text.normalize("NFC"), kinds.join(" "));
  }
});

test("half a million marks out of order complete", () => {
  const text = normalizeNfc(`a${"\u0315\u0316".repeat(250000)}`);
  assert.is(text, `a${"\u0316".repeat(250000)}${"\u0315".repeat(250000)}`);
});

test("millions of marks complete, alone and among others", () => {
  // More than a regular expression's stack holds.
  const count = 2_000_000;
  const text = `e${"\u0301".repeat(count)}x${"\u{1d165}".repeat(count)}q\u0301`;
  const normal = normalizeNfc(text);
  assert.is(normal.length, 3 * count + 3);
  assert.ok(normal.startsWith("\u00e9\u0301") && normal.endsWith("\u{1d165}q\u0301"), "ends");
});

test("runs of about the length that makes them sorted", () => {
  for (const count of [1, 2, 127, 128, 129, 255, 256, 257]) {
    const text = `a${"\u0315\u0316".repeat(count).slice(0, count)}b${"\u0316".repeat(count)}`;
    assert.is(normalizeNfc(text), text.normalize("NFC"), String(count));
  }
});

test.run();
