import { test } from "uvu";
import * as assert from "uvu/assert";
import { createStreamer } from "../../src/generation/streamer.js";
import { seededRandom } from "../random.js";
import { tableDecoder } from "./markov.js";

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

test("text withheld around a hidden token comes without it", () => {
  assert.equal(stream([0, CONTROL, 0], ["a<c>b"]), [["", "", "a", "a"], undefined]);
  assert.equal(stream([1, CONTROL, 0], ["<c>b"]), [["b", "", "a", ""], undefined]);
  assert.equal(stream([0, CONTROL], ["a<c>b"]), [["", "", "a"], undefined]);
});

/** The definition: after each unit, whether all text or what is shown ends in a stop string. */
function naive(units: string[], stop: string[]): [string, string | undefined] {
  const longestFirst = [...stop].sort((a, b) => b.length - a.length);
  let whole = "";
  const shownIn = (text: string): string => text.replaceAll("|", "");
  for (const unit of units) {
    whole += unit;
    for (const each of longestFirst) {
      if (whole.endsWith(each)) return [shownIn(whole.slice(0, -each.length)), each];
      const shown = shownIn(whole);
      if (unit !== "|" && shown.endsWith(each)) return [shown.slice(0, -each.length), each];
    }
  }
  return [shownIn(whole), undefined];
}

test("stop strings end any text where the definition says", () => {
  const random = seededRandom(5);
  const pick = (n: number): number => Math.floor(random() * n);
  const decoder = tableDecoder(["a", "b", "|"], [], [2]);
  for (let i = 0; i < 5000; i++) {
    const stop = Array.from({ length: 1 + pick(2) }, () =>
      Array.from({ length: 1 + pick(4) }, () => "ab|"[pick(3)]).join(""),
    );
    const tokens = Array.from({ length: pick(12) }, () => pick(3));
    const streamer = createStreamer(decoder, { stop, special: false });
    const text = tokens.map((token) => streamer.push(token)).join("") + streamer.end();
    const units = tokens.map((id) => "ab|"[id]);
    assert.equal([text, streamer.stop], naive(units, stop), JSON.stringify([stop, units]));
  }
});

test.run();
