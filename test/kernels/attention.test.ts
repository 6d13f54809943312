import { test } from "uvu";
import * as assert from "uvu/assert";
import { isRelaxed } from "../../src/kernels/kernels.js";
import { assertClose, relativeRms } from "../support/close.js";
import { gaussian, seededRandom } from "../support/random.js";
import {
  type LatentQuery,
  referenceLatentOutput,
  referenceLatentWeights,
} from "../support/reference.js";
import {
  attendLatent,
  normal,
  type Placement,
  ROW_TYPES,
  type RowType,
  rowBytes,
} from "./support/latent.js";
import { errorBound } from "./support/latent-error.js";
import { Bench } from "./support/wasm.js";

const bench = await Bench.create(32);

function check(type: RowType, query: LatentQuery, rows: Float32Array, placement?: Placement): void {
  const { actual, cached } = attendLatent(bench, type, query, rows, placement);
  const weights = referenceLatentWeights(query, cached);
  const expected = referenceLatentOutput(query, weights, cached);
  const keepsBlocks = type === "Q8_0" && isRelaxed(bench.kernels);
  const bound = errorBound({ type, keepsBlocks }, query, cached, weights);
  const { heads, latentDim, ropeDim } = query;
  const positions = weights[0].length;
  for (let i = 0; i < expected.length; i++) {
    const what = `${type} ${heads} x ${latentDim}+${ropeDim}, ${positions} positions, output ${i}`;
    assertClose([actual[i]], [expected[i]], { abs: bound[i] + 1e-38 }, what);
  }
}

function randomQuery(sizes: number[], random: () => number, qScale = 0.3): LatentQuery {
  const [heads, latentDim, ropeDim] = sizes;
  const q = gaussian(heads * (latentDim + ropeDim), random, qScale);
  return { heads, latentDim, ropeDim, scale: Math.fround(192 ** -0.5), q };
}

test("every count of positions and heads, odd ones included, for all four types", () => {
  const random = seededRandom(20);
  const shapes = [
    [1, 32, 32],
    [2, 64, 32],
    [3, 8, 8],
    [5, 96, 24],
    [4, 160, 64],
    [7, 32, 0],
  ];
  for (const type of ROW_TYPES) {
    for (const sizes of shapes) {
      if (type === "Q8_0" && (sizes[1] % 32 || sizes[2] % 32)) continue;
      for (const positions of [1, 2, 3, 4, 5, 7, 30, 31, 32, 33, 34, 63, 64, 65, 97]) {
        const rows = gaussian(positions * (sizes[1] + sizes[2]), random);
        check(type, randomQuery(sizes, random), rows, { offset: positions % 2 ? 4 : 0 });
      }
    }
  }
});

/** A query that scores only part 2 of a row. */
function secondPartQuery(sizes: number[], random: () => number): LatentQuery {
  const [heads, latentDim, ropeDim] = sizes;
  const q = gaussian(heads * ropeDim, random, 0.5);
  return { heads, latentDim, ropeDim, unscored: latentDim, scale: Math.fround(ropeDim ** -0.5), q };
}

/** f32[positions, latentDim + ropeDim], with parts 1 of other magnitudes from row to row. */
function unevenRows(positions: number, [, latentDim, ropeDim]: number[], random: () => number) {
  const dims = latentDim + ropeDim;
  const rows = normal(positions * dims, random);
  const scales = [1, 30, 0, 0.01, 5];
  return rows.map((value, i) => {
    return i % dims < latentDim ? value * scales[Math.floor(i / dims) % scales.length] : value;
  });
}

const PAGED_POSITIONS = [1, 2, 6, 31, 33, 63, 64, 65, 96, 97, 127, 128, 129, 191, 192, 200];

test("heads that share keys and values of one head: part 2 is scored, part 1 summed", () => {
  const random = seededRandom(25);
  for (const type of ROW_TYPES) {
    for (const sizes of [
      [5, 64, 32],
      [1, 128, 64],
      [8, 32, 96],
    ]) {
      for (const positions of PAGED_POSITIONS) {
        const rows = unevenRows(positions, sizes, random);
        check(type, secondPartQuery(sizes, random), rows, { offset: positions % 2 ? 4 : 0 });
      }
    }
  }
});

test("a group inside wide rows does not read the others", () => {
  const random = seededRandom(26);
  for (const type of ROW_TYPES) {
    for (const group of [0, 1, 2]) {
      for (const positions of PAGED_POSITIONS) {
        const bytes = rowBytes(type, 96);
        const place = { before: group * bytes, after: (2 - group) * bytes };
        const sizes = [3, 64, 32];
        check(type, secondPartQuery(sizes, random), unevenRows(positions, sizes, random), place);
        check(type, randomQuery(sizes, random), gaussian(positions * 96, random), place);
      }
    }
  }
});

test("the places of pages and rows change no bit", () => {
  const random = seededRandom(27);
  for (const type of ROW_TYPES) {
    for (const positions of [64, 65, 150, 192]) {
      const query = randomQuery([5, 64, 32], random);
      const rows = gaussian(positions * 96, random);
      const { actual } = attendLatent(bench, type, query, rows, { isContiguous: true });
      for (const place of [{}, { before: 68, after: 34 }, { offset: 4 }]) {
        assert.equal(attendLatent(bench, type, query, rows, place).actual, actual);
      }
    }
  }
});

test("a NaN of a part that is not scored stays in the values", () => {
  const random = seededRandom(28);
  const query = secondPartQuery([3, 64, 32], random);
  const rows = normal(150 * 96, random);
  for (const type of ROW_TYPES) {
    const expected = attendLatent(bench, type, query, rows);
    const poisoned = rows.slice();
    poisoned[35 * 96 + 3] = Number.NaN;
    const { actual, states } = attendLatent(bench, type, query, poisoned);
    assert.equal(states, expected.states, type);
    assert.ok(Number.isNaN(actual[3]), type);
    if (type !== "F32") continue;
    actual.forEach((value, i) => {
      if (i % 64 !== 3) assert.is(value, expected.actual[i], `output ${i}`);
    });
  }
});

test("PLM's shape", () => {
  const random = seededRandom(21);
  for (const type of ROW_TYPES) {
    check(type, randomQuery([16, 512, 64], random, 0.1), gaussian(200 * 576, random));
  }
});

test("zero queries average, equal rows come back, zero rows stay zero", () => {
  const random = seededRandom(22);
  const query = randomQuery([3, 64, 32], random);
  const row = gaussian(96, random);
  const equal = new Float32Array(70 * 96).map((_, i) => row[i % 96]);
  for (const type of ROW_TYPES) {
    check(type, { ...query, q: new Float32Array(3 * 96) }, gaussian(70 * 96, random));
    check(type, query, equal);
    const { actual } = attendLatent(bench, type, query, new Float32Array(40 * 96));
    assert.ok(actual.every((value) => value === 0));
  }
});

// Products and sums at their largest: equal magnitudes make every integer +-8191. Once with equal
// scores, so that all 32 weights of a tile are the largest too; once with scores of 115 and -115 in
// turn, which an overflow would exchange. In q8_0 a value becomes 8190 or 8191 steps of 1/8190.5.
test("the extremes of the integers do not overflow, whatever the signs", () => {
  const signs = {
    plus: () => 1,
    minus: () => -1,
    alternating: (i: number) => (i & 1 ? 1 : -1),
    blocks: (i: number) => (i % 192 < 128 ? 1 : -1),
  };
  for (const type of ROW_TYPES) {
    for (const [name, sign] of Object.entries(signs)) {
      for (const flip of [1, -1]) {
        const rows = Float32Array.from(
          { length: 64 * 576 },
          (_, i) => 1000 * sign(i % 576) * (Math.floor(i / 576) & 1 ? flip : 1),
        );
        const q = Float32Array.from({ length: 5 * 576 }, (_, i) => 0.01 * sign(i % 576));
        const query = { heads: 5, latentDim: 512, ropeDim: 64, scale: 0.02, q };
        const { actual, cached } = attendLatent(bench, type, query, rows);
        const weights = referenceLatentWeights(query, cached);
        const expected = referenceLatentOutput(query, weights, cached);
        assertClose(actual, expected, { rel: type === "Q8_0" ? 3e-4 : 2e-6 }, `${type} ${name}`);
      }
    }
  }
});

// The largest score wins by more than 100, so that the output is its row. In integers: 14 bits of
// it.
test("scores thousands apart do not overflow or underflow into NaN", () => {
  const random = seededRandom(23);
  for (const type of ROW_TYPES) {
    for (const direction of [1, -1]) {
      const positions = 150;
      const rows = normal(positions * 96, random);
      const query = randomQuery([3, 64, 32], random, 0);
      for (let t = 0; t < positions; t++) rows[t * 96 + 64] = direction * (t - 75) * 4;
      for (let h = 0; h < 3; h++) query.q[h * 96 + 64] = 100 * 192 ** 0.5;
      const { actual, cached } = attendLatent(bench, type, query, rows);
      const top = (direction > 0 ? positions - 1 : 0) * 96;
      const row = Array.from(cached.subarray(top, top + 64));
      const tolerance = { F32: 1e-6, F16: 1e-3, I16: 1e-6, Q8_0: 1e-3 }[type];
      assert.ok(relativeRms(actual, [...row, ...row, ...row]) < tolerance, type);
    }
  }
});

test("NaN in the cache or the query reaches the output", () => {
  const random = seededRandom(24);
  for (const type of ROW_TYPES) {
    const rows = normal(40 * 96, random);
    const query = randomQuery([2, 64, 32], random);
    for (const at of [3, 70]) {
      const poisoned = rows.slice();
      poisoned[35 * 96 + at] = Number.NaN;
      assert.ok(attendLatent(bench, type, query, poisoned).actual.some(Number.isNaN), type);
      const q = query.q.slice();
      q[at] = Number.NaN;
      const { actual } = attendLatent(bench, type, { ...query, q }, rows);
      assert.ok(actual.subarray(0, 64).every(Number.isNaN), type);
      assert.not.ok(actual.subarray(64).some(Number.isNaN), type);
    }
  }
});

test.run();
