import { test } from "uvu";
import * as assert from "uvu/assert";
import { WordCache } from "../../src/tokenizer/word-cache.js";
import { seededRandom } from "../support/random.js";

test("what is read is what was written for that word", () => {
  const random = seededRandom(5);
  const cache = new WordCache();
  const tokensOf = (word: Uint8Array): number[] =>
    Array.from({ length: 1 + (word[0] % 9) }, (_, i) => word.length * 1000 + word[0] + i);
  let hits = 0;
  for (let i = 0; i < 200000; i++) {
    const word = Uint8Array.from(
      { length: 1 + Math.floor(random() * 26) },
      () => random() * (i % 2 ? 256 : 2),
    );
    const place = cache.placeOf(word, 0, word.length);
    assert.is(place < 0, word.length > 23);
    if (place < 0) continue;
    const out = [42];
    if (cache.read(place, word, 0, word.length, out)) {
      hits++;
      assert.equal(out, [42, ...tokensOf(word)]);
    } else {
      assert.equal(out, [42]);
      cache.write(place, word, [42, ...tokensOf(word)], 1);
    }
  }
  assert.ok(hits > 1000, `${hits} hits`);
});

test.run();
