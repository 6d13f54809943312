import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  createStopStringMatcher,
  findFinishReason,
  type StoppingState,
} from "../../src/generation/stopping-criteria.js";
import { seededRandom } from "../support/random.js";

const STATE: StoppingState = { isEos: false, stop: undefined, generated: 1, maxTokens: 9, room: 5 };

test("end token before stop string before length", () => {
  assert.is(findFinishReason(STATE), undefined);
  assert.is(findFinishReason({ ...STATE, generated: 9 }), "length");
  assert.is(findFinishReason({ ...STATE, room: 0 }), "length");
  assert.is(findFinishReason({ ...STATE, generated: 9, stop: "x" }), "stop");
  assert.is(findFinishReason({ ...STATE, generated: 9, stop: "x", isEos: true }), "eos");
});

/** What each push returned, then what the end returned, and the stop string found. */
function watch(stops: string[], pieces: string[]): [string[], string | undefined] {
  const matcher = createStopStringMatcher(stops);
  const shown = pieces.map((piece) => matcher.push(piece));
  return [[...shown, matcher.end()], matcher.found];
}

test("without stop strings the text passes", () => {
  assert.equal(watch([], ["ab", "", "c"]), [["ab", "", "c", ""], undefined]);
});

test("text is withheld only while it may become a stop string", () => {
  assert.equal(watch(["END"], ["aE", "N", "x", "E"]), [["a", "", "ENx", "", "E"], undefined]);
});

test("a stop string across pieces is not shown, nor what follows", () => {
  assert.equal(watch(["END"], ["aE", "N", "Dx", "y"]), [["a", "", "", "", ""], "END"]);
  assert.equal(watch(["END"], ["aENDx"]), [["a", ""], "END"]);
});

test("a failed match may hide the start of another", () => {
  assert.equal(watch(["aab"], ["aa", "a", "b"]), [["", "a", "", ""], "aab"]);
  assert.equal(watch(["abac", "ba"], ["aba"]), [["a", ""], "ba"]);
});

test("of two completed together the longer is meant, otherwise the first completed", () => {
  assert.equal(watch(["b", "ab"], ["xab"]), [["x", ""], "ab"]);
  assert.equal(watch(["abcd", "bc"], ["xabcd"]), [["xa", ""], "bc"]);
});

/** Character by character: the first end of any stop string; the longest that ends there. */
function naive(stops: string[], text: string): [string, string | undefined] {
  const longestFirst = stops.slice().sort((a, b) => b.length - a.length);
  for (let end = 1; end <= text.length; end++) {
    const found = longestFirst.find((stop) => text.slice(0, end).endsWith(stop));
    if (found !== undefined) return [text.slice(0, end - found.length), found];
  }
  return [text, undefined];
}

/** The longest end of the text that begins a stop string, by trying all. */
function naiveWithheld(stops: string[], text: string): number {
  for (let length = text.length; length > 0; length--) {
    const tail = text.slice(text.length - length);
    if (stops.some((stop) => stop.length > length && stop.startsWith(tail))) return length;
  }
  return 0;
}

test("equals the naive search, whatever the pieces, and withholds no more than needed", () => {
  const random = seededRandom(6);
  const word = (length: number) =>
    Array.from({ length }, () => (random() < 0.5 ? "a" : "b")).join("");
  for (let round = 0; round < 3000; round++) {
    const stops = Array.from({ length: 1 + Math.floor(random() * 3) }, () =>
      word(1 + Math.floor(random() * 7)),
    );
    const text = word(Math.floor(random() * 40));
    const [expected, expectedStop] = naive(stops, text);
    const matcher = createStopStringMatcher(stops);
    let shown = "";
    for (let at = 0; at < text.length; ) {
      const end = at + Math.floor(random() * 6);
      shown += matcher.push(text.slice(at, end));
      at = end;
      if (matcher.found !== undefined) break;
      const seen = text.slice(0, end);
      assert.is(shown, seen.slice(0, seen.length - naiveWithheld(stops, seen)));
    }
    shown += matcher.end();
    assert.is(shown, expected, `${JSON.stringify(stops)} in ${text}`);
    assert.is(matcher.found, expectedStop);
  }
});

test("a hostile text and stop string take linear time and bounded memory", () => {
  const stop = `${"a".repeat(50000)}b`;
  const matcher = createStopStringMatcher([stop]);
  let shown = 0;
  for (let i = 0; i < 200; i++) shown += matcher.push("a".repeat(1000)).length;
  assert.is(shown, 150000);
  assert.is(matcher.push("b"), "");
  assert.is(matcher.found, stop);
});

test.run();
