import { test } from "uvu";
import * as assert from "uvu/assert";
import { createStreamer } from "../../src/generation/streamer.js";
import { seededRandom } from "../support/random.js";
import { tableDecoder } from "./support/markov.js";

const CRAB = new TextEncoder().encode("🦀");
const TEXTS = ["a", "b", CRAB.subarray(0, 1), CRAB.subarray(1, 3), CRAB.subarray(3), "<c>"];
/** Of type control in `TEXTS`. */
const CONTROL = 5;

function stream(
  tokens: number[],
  stop: string[] = [],
  special = false,
): [string[], string | undefined] {
  const streamer = createStreamer(tableDecoder(TEXTS, [], [CONTROL]), { stop, special });
  const pieces = tokens.map((token) => streamer.push(token));
  return [[...pieces, streamer.end()], streamer.stop];
}

test("characters come whole", () => {
  assert.equal(stream([0, 2, 3, 4, 1]), [["a", "", "", "🦀", "b", ""], undefined]);
});

test("bytes that never became a character come at the end, replaced", () => {
  assert.equal(stream([0, 2, 3]), [["a", "", "", "\ufffd"], undefined]);
});

test("stop strings are found across tokens and characters", () => {
  assert.equal(stream([0, 0, 2, 3, 4, 1], ["a🦀"]), [["", "a", "", "", "", "", ""], "a🦀"]);
});

test("text withheld for a stop string that does not come is shown at the end", () => {
  assert.equal(stream([1, 0], ["ab"]), [["b", "", "a"], undefined]);
  assert.equal(stream([1, 0, 2], ["ab"]), [["b", "", "", "a\ufffd"], undefined]);
});

test("the last, broken character may complete a stop string", () => {
  assert.equal(stream([1, 0, 2], ["a\ufffd"]), [["b", "", "", ""], "a\ufffd"]);
});

test("control tokens are hidden unless asked for", () => {
  assert.equal(stream([0, CONTROL, 1]), [["a", "", "b", ""], undefined]);
  assert.equal(stream([0, CONTROL, 1], [], true), [["a", "<c>", "b", ""], undefined]);
});

test("a hidden token does not break the character around it", () => {
  assert.equal(stream([2, 3, CONTROL, 4], ["x"]), [["", "", "", "🦀", ""], undefined]);
  assert.equal(stream([2, CONTROL, 1], ["x"]), [["", "", "\ufffdb", ""], undefined]);
});

test("a stop string is found in hidden tokens, and across them", () => {
  assert.equal(stream([0, CONTROL, 1], ["<c>"]), [["a", "", "", ""], "<c>"]);
  assert.equal(stream([1, 0, CONTROL, 1], ["a<c>b"]), [["b", "", "", "", ""], "a<c>b"]);
  assert.equal(stream([1, 0, CONTROL, 1], ["ab"]), [["b", "", "", "", ""], "ab"]);
  assert.equal(stream([0, CONTROL, 1], ["<c>"], true), [["a", "", "", ""], "<c>"]);
});

test("a stop string has all of a hidden token or nothing", () => {
  for (const stop of ["c", ">", "<", "c>b", "a<", "c>", "<c"]) {
    assert.is(stream([0, CONTROL, 1], [stop])[0].join(""), "ab", stop);
  }
  assert.equal(stream([CONTROL, 0, 1], [">a", "b"]), [["", "a", "", ""], "b"]);
  assert.equal(stream([0, CONTROL, CONTROL, 1], ["c><c>", "<c><c>"])[1], "<c><c>");
});

test("text withheld around a hidden token comes without it", () => {
  assert.equal(stream([0, CONTROL, 0], ["a<c>b"]), [["", "", "a", "a"], undefined]);
  assert.equal(stream([1, CONTROL, 0], ["<c>b"]), [["b", "", "a", ""], undefined]);
  assert.equal(stream([0, CONTROL], ["a<c>b"]), [["", "", "a"], undefined]);
});

const isHidden = (unit: string): boolean => unit !== "a" && unit !== "b";
const shownIn = (units: string[]): string => units.filter((unit) => !isHidden(unit)).join("");

/**
 * The definition: after each unit (a character, or a hidden token), whether the last of all units,
 * or of those that are shown, are a stop string.
 */
function naive(units: string[], stop: string[]): [string, string | undefined] {
  const longestFirst = [...stop].sort((a, b) => b.length - a.length);
  for (let end = 1; end <= units.length; end++) {
    const seen = units.slice(0, end);
    const shown = shownIn(seen);
    for (const each of longestFirst) {
      for (let start = 0; start < end; start++) {
        const isFound = seen.slice(start).join("") === each;
        if (isFound) return [shownIn(seen.slice(0, start)), each];
      }
      const isShown = !isHidden(seen[end - 1]) && shown.endsWith(each);
      if (isShown) return [shown.slice(0, -each.length), each];
    }
  }
  return [shownIn(units), undefined];
}

test("stop strings end any text where the definition says", () => {
  const random = seededRandom(5);
  const pick = (n: number): number => Math.floor(random() * n);
  const texts = ["a", "b", "|", "ab", "aba"];
  const decoder = tableDecoder(texts, [], [2, 3, 4]);
  for (let i = 0; i < 20000; i++) {
    const stop = Array.from({ length: 1 + pick(2) }, () =>
      Array.from({ length: 1 + pick(6) }, () => "ab|"[pick(i % 2 === 0 ? 2 : 3)]).join(""),
    );
    const tokens = Array.from({ length: pick(12) }, () => pick(texts.length));
    const streamer = createStreamer(decoder, { stop, special: false });
    const text = tokens.map((token) => streamer.push(token)).join("") + streamer.end();
    const units = tokens.map((id) => texts[id]);
    assert.equal([text, streamer.stop], naive(units, stop), JSON.stringify([stop, units]));
  }
});

test.run();
