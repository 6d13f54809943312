import { test } from "uvu";
import * as assert from "uvu/assert";
import { createStreamer } from "../../src/generation/streamer.js";
import { tableDecoder } from "./markov.js";

const CRAB = new TextEncoder().encode("🦀");
const TEXTS = ["a", "b", CRAB.subarray(0, 1), CRAB.subarray(1, 3), CRAB.subarray(3)];

function stream(tokens: number[], stops: string[] = []): [string[], string | undefined] {
  const streamer = createStreamer(tableDecoder(TEXTS), { stop: stops, special: false });
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

test.run();
