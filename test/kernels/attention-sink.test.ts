/**
 * Attention sinks: in trained transformers one position may take most of the weight while its
 * values are small. The rest of the answer must survive that in every cache type.
 */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { relativeRms } from "../support/close.js";
import { seededRandom } from "../support/random.js";
import {
  type LatentQuery,
  referenceLatentOutput,
  referenceLatentWeights,
} from "../support/reference.js";
import { attendLatent, normal, ROW_TYPES } from "./support/latent.js";
import { Bench } from "./support/wasm.js";

const POSITIONS = 4096;
const [HEADS, LATENT, ROPE] = [2, 512, 64];
const DIMS = LATENT + ROPE;

// Relative rms error against f64 on the same cached numbers: f32 roundings, or 14-bit queries and
// weights, which keep 2e-3 whatever the sink takes.
const TOLERANCES = { F32: 2e-6, F16: 2e-3, I16: 2e-3, Q8_0: 2e-3 };

const bench = await Bench.create(32);

/**
 * x rounded to 127ths of the largest of 32: some kernels keep no more of queries, which is not
 * tested here.
 */
function inEightBits(x: Float32Array): Float32Array {
  for (let from = 0; from < x.length; from += 32) {
    const block = x.subarray(from, from + 32);
    const unit = Math.max(...block.map(Math.abs)) / 127;
    block.forEach((value, i) => {
      block[i] = Math.round(value / unit) * unit;
    });
  }
  return x;
}

/**
 * Rows and a query where each of `sinks` has values `valueScale` times the others' and all of them
 * together `share` of each head's weight, by one dim of the rope part that only they have.
 */
function withSinks(
  sinks: number[],
  share: number,
  valueScale: number,
): { query: LatentQuery; rows: Float32Array } {
  const random = seededRandom(30);
  const rows = normal(POSITIONS * DIMS, random);
  const q = inEightBits(normal(HEADS * DIMS, random, 0.6));
  const query = { heads: HEADS, latentDim: LATENT, ropeDim: ROPE, scale: 192 ** -0.5, q };
  for (let t = 0; t < POSITIONS; t++) rows[t * DIMS + LATENT] = 0;
  for (const sink of sinks) {
    for (let d = 0; d < DIMS; d++) rows[sink * DIMS + d] *= d < LATENT ? valueScale : 0;
  }
  referenceLatentWeights(query, rows).forEach((weights, h) => {
    const before = sinks.reduce((sum, sink) => sum + weights[sink], 0);
    const raise = Math.log(((1 - before) / before) * (share / (1 - share)));
    q[h * DIMS + LATENT] = raise / query.scale / 4;
  });
  for (const sink of sinks) rows[sink * DIMS + LATENT] = 4;
  return { query, rows };
}

function check(sinks: number[], share: number, valueScale: number): void {
  const { query, rows } = withSinks(sinks, share, valueScale);
  for (const type of ROW_TYPES) {
    const { actual, cached } = attendLatent(bench, type, query, rows);
    const weights = referenceLatentWeights(query, cached);
    for (const row of weights) {
      const taken = sinks.reduce((sum, sink) => sum + row[sink], 0);
      assert.ok(Math.abs(taken - share) < 0.02, `the sinks take ${taken}, not ${share}`);
    }
    const error = relativeRms(actual, referenceLatentOutput(query, weights, cached));
    const what = `${type}, ${sinks.length} sinks with ${share} of the weight, values ${valueScale}`;
    assert.ok(error < TOLERANCES[type], `${what}: error ${error}`);
  }
}

const SMALL = [
  [0.25, 1 / 20],
  [0.5, 1 / 50],
  [0.83, 1 / 100],
  [0.95, 1 / 20],
];

for (const [share, small] of SMALL) {
  test(`one sink with ${100 * share} % of the weight and values of ${small}`, () => {
    check([1234], share, small);
  });

  test(`one sink with ${100 * share} % of the weight and values like the others`, () => {
    check([31], share, 1);
  });

  test(`several sinks in one tile, together ${100 * share} %`, () => {
    check([64, 65, 70, 95], share, small);
  });
}

test.run();
