import { test } from "uvu";
import * as assert from "uvu/assert";
import { gaussian, seededRandom } from "../../support/random.js";
import { dropoutWord } from "../reference/dropout.js";
import { TrainingBench } from "../support/wasm.js";

const bench = await TrainingBench.create();

function dropped(x: Float32Array, first: number, key: number, share: number): Float32Array {
  bench.reset();
  const ptr = bench.put(x, 4);
  bench.kernels.dropout(ptr, x.length, first, key, share * 2 ** 32, 1 / (1 - share));
  bench.checkGuards();
  return bench.f32(ptr, x.length);
}

test("an element is left and scaled where its word is at least the threshold", () => {
  const random = seededRandom(1);
  for (const [n, first, key, share] of [
    ...[0, 4, 32, 160, 4096].map((length) => [length, 0, 1, 0.5]),
    ...[7, 0x7fffffff - 640].map((start) => [640, start, 0x80000001, 0.1]),
    [640, 64, -1, 0.999],
  ]) {
    const x = gaussian(n, random);
    const scale = Math.fround(1 / (1 - share));
    const expected = x.map((value, i) =>
      dropoutWord(first + i, key) >= share * 2 ** 32 ? value * scale : 0,
    );
    assert.equal(dropped(x, first, key, share), expected, `${n} from ${first}`);
  }
});

test("a share of 0 leaves all as they are", () => {
  const x = gaussian(64, seededRandom(2));
  assert.equal(dropped(x, 0, 3, 0), x);
});

test("the shares of what is left, alone and in neighbours, are those of chance", () => {
  const n = 1 << 16;
  for (const share of [0.05, 0.1, 0.5]) {
    for (const key of [0, 1, 2, 0x9e3779b9, 0xffffffff]) {
      const left = dropped(new Float32Array(n).fill(1), 0, key, share).map((x) => Number(x !== 0));
      // Five standard deviations of a binomial.
      const assertShare = (count: number, p: number, what: string): void => {
        const error = Math.abs(count - n * p) / Math.sqrt(n * p * (1 - p));
        assert.ok(error < 5, `${what} of key ${key}: ${error} deviations`);
      };
      assertShare(left.filter(Boolean).length, 1 - share, "all");
      for (const distance of [1, 2, 4, 160]) {
        const pairs = left.filter((one, i) => one && left[(i + distance) % n]).length;
        assertShare(pairs, (1 - share) ** 2, `${distance} apart`);
      }
    }
  }
});

test.run();
