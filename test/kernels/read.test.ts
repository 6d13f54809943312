import { test } from "uvu";
import * as assert from "uvu/assert";
import { seededRandom } from "../support/random.js";
import { Bench } from "./support/wasm.js";

const bench = await Bench.create();

test("sums every word once, at any alignment", () => {
  const random = seededRandom(31);
  for (const blocks of [0, 1, 2, 7]) {
    for (const offset of [0, 4]) {
      bench.reset();
      const words = Int32Array.from({ length: blocks * 16 }, () => random() * 2 ** 32 - 2 ** 31);
      const ptr = bench.put(words, offset);
      const expected = words.reduce((sum, word) => (sum + word) | 0, 0);
      assert.is(bench.kernels.readBytes(ptr, words.byteLength), expected);
    }
  }
});

test.run();
