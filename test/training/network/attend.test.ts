/** Causal attention over documents, forward and backward. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  attendGradScratchBytes,
  attendScratchBytes,
} from "../../../src/training/engine/kernels.js";
import { AttendGrads, AttendInputs, AttendShape } from "../../../src/training/engine/structs.js";
import { assertClose, relativeRms } from "../../support/close.js";
import { seededRandom } from "../../support/random.js";
import {
  type AttentionInputs,
  type AttentionSizes,
  referenceAttend,
  referenceAttendGrad,
} from "../reference/attention.js";
import { numericGradient, weightedSum } from "../support/differences.js";
import { normal } from "../support/normal.js";
import { TrainingBench } from "../support/wasm.js";

const bench = await TrainingBench.create(32);

/** The most error of an element, relative to the largest and 1. */
const MOST = 3e-6;
/** The most root mean square error, relative to that of all; short ones cancel most of theirs. */
const RMS = 4e-6;

interface Case extends AttentionInputs {
  readonly q: Float32Array;
  readonly kv: Float32Array;
  readonly kPe: Float32Array;
  readonly dout: Float32Array;
  readonly sizes: AttentionSizes;
}

/** Random inputs; a document begins at each of `begins`. */
function randomCase(
  length: number,
  begins: readonly number[],
  random: () => number,
  { heads = 2, nopeDim = 8, ropeDim = 4, valueDim = 12, gap = 0 } = {},
): Case {
  const kPeRow = ropeDim + gap;
  const scale = Math.fround(1 / Math.sqrt(nopeDim + ropeDim));
  return {
    sizes: { length, heads, nopeDim, ropeDim, valueDim, kPeRow, scale },
    q: normal(length * heads * (nopeDim + ropeDim), random, 2),
    kv: normal(length * heads * (nopeDim + valueDim), random),
    kPe: normal(length * kPeRow, random),
    dout: normal(length * heads * valueDim, random),
    starts: Uint32Array.from({ length }, (_, i) => Math.max(0, ...begins.filter((b) => b <= i))),
  };
}

/** The inputs in the bench's memory. */
function putCase({ q, kv, kPe, dout, starts, sizes }: Case, offset: number) {
  const shape = new AttendShape(bench.memory, bench.region(AttendShape.BYTES));
  shape.write(sizes);
  const [qPtr, kvPtr, kPePtr] = [q, kv, kPe].map((values) => bench.put(values, offset));
  const doutPtr = bench.put(dout, offset);
  const startsPtr = bench.put(Uint32Array.from(starts));
  return { qPtr, kvPtr, kPePtr, doutPtr, startsPtr, shapePtr: shape.ptr };
}

/** What the kernels make of a case. */
function runKernels(example: Case, offset = 0) {
  bench.reset();
  const { sizes, q, kv, dout } = example;
  const { length, heads, nopeDim, ropeDim, valueDim } = sizes;
  const { qPtr, kvPtr, kPePtr, doutPtr, startsPtr, shapePtr } = putCase(example, offset);
  const region = (n: number): number => {
    const ptr = bench.region(n * 4, offset);
    bench.u8(ptr, n * 4).fill(0xff);
    return ptr;
  };
  const [out, lse] = [region(dout.length), region(heads * length)];
  const [dq, dkv, dkPe] = [region(q.length), region(kv.length), region(heads * length * ropeDim)];
  const qkDim = nopeDim + ropeDim;
  // Filled with NaN, which nothing may read before it is written.
  const scratch = region(attendScratchBytes(length, qkDim) / 4);
  const gradScratch = region(attendGradScratchBytes(length, qkDim, valueDim) / 4);
  const grads = new AttendGrads(bench.memory, bench.region(AttendGrads.BYTES));
  grads.write({ dq, dkv, dkPe });
  const inputs = new AttendInputs(bench.memory, bench.region(AttendInputs.BYTES));
  inputs.write({ q: qPtr, kv: kvPtr, kPe: kPePtr, out, lse, dout: doutPtr });
  for (let head = heads - 1; head >= 0; head--) {
    bench.kernels.attend(out, lse, qPtr, kvPtr, kPePtr, startsPtr, shapePtr, head, scratch);
    bench.kernels.attendGrad(grads.ptr, inputs.ptr, startsPtr, shapePtr, head, gradScratch);
  }
  bench.checkGuards();
  return {
    out: bench.f32(out, dout.length),
    lse: bench.f32(lse, heads * length),
    dq: bench.f32(dq, q.length),
    dkv: bench.f32(dkv, kv.length),
    dkPe: bench.f32(dkPe, heads * length * ropeDim),
  };
}

function check(example: Case, what: string, offset = 0): void {
  const actual = runKernels(example, offset);
  const forward = referenceAttend(example, example.sizes);
  const expected = { ...forward, ...referenceAttendGrad(example, example.dout, example.sizes) };
  for (const name of ["out", "lse", "dq", "dkv", "dkPe"] as const) {
    const largest = Math.max(...expected[name].map(Math.abs));
    assertClose(actual[name], expected[name], { abs: MOST * (largest + 1) }, `${name}, ${what}`);
    const rms = Math.max(...expected[name]) > 0 ? relativeRms(actual[name], expected[name]) : 0;
    assert.ok(rms <= RMS || largest < 1e-3, `${name}, ${what}: relative error ${rms}`);
  }
}

test("the f64 gradients are those of finite differences, over several documents", () => {
  const random = seededRandom(1);
  const example = randomCase(9, [0, 3, 4], random, { nopeDim: 4, valueDim: 4, gap: 2 });
  const { sizes, dout, kPe } = example;
  const loss = (changed: Partial<AttentionInputs>): number =>
    weightedSum(referenceAttend({ ...example, ...changed }, sizes).out, dout);
  const { dq, dkv, dkPe } = referenceAttendGrad(example, dout, sizes);
  const tolerance = { rel: 1e-6, abs: 1e-8 };
  assertClose(
    dq,
    numericGradient((q) => loss({ q }), example.q),
    tolerance,
    "dq",
  );
  assertClose(
    dkv,
    numericGradient((kv) => loss({ kv }), example.kv),
    tolerance,
    "dkv",
  );
  const inPe = numericGradient((moved) => loss({ kPe: moved }), kPe);
  const { length, heads, ropeDim, kPeRow } = sizes;
  const summed = new Float64Array(kPe.length);
  dkPe.forEach((value, i) => {
    const t = Math.floor(i / ropeDim) % length;
    summed[t * kPeRow + (i % ropeDim)] += value;
  });
  assert.is(dkPe.length, heads * length * ropeDim);
  assertClose(summed, inPe, tolerance, "dkPe");
});

test("agree with f64 at every length around the tiles", () => {
  const random = seededRandom(2);
  for (const length of [1, 2, 3, 4, 5, 31, 32, 33, 37, 63, 64, 65, 97]) {
    const offset = length % 2 === 0 ? 0 : 4;
    check(randomCase(length, [0], random, { gap: length % 3 }), `length ${length}`, offset);
  }
});

test("agree with f64 where documents begin anywhere", () => {
  const random = seededRandom(3);
  for (const begins of [
    [0, 1],
    [0, 30, 31, 33],
    [0, 5, 32, 64],
    [0, 63],
    [0, 7, 41, 42, 43, 90],
  ]) {
    check(randomCase(91, begins, random), `documents from ${begins}`);
  }
});

test("agree with f64 in other shapes", () => {
  const random = seededRandom(4);
  for (const shape of [
    { heads: 1, nopeDim: 4, ropeDim: 4, valueDim: 4 },
    { heads: 4, nopeDim: 24, ropeDim: 16, valueDim: 40, gap: 64 },
  ]) {
    check(randomCase(70, [0, 20], random, shape), JSON.stringify(shape));
  }
});

test("large scores do not overflow", () => {
  const example = randomCase(40, [0, 9], seededRandom(5));
  const large = { ...example, q: example.q.map((value) => value * 300) };
  const { out, lse, dq, dkv } = runKernels(large);
  const expected = referenceAttend(large, large.sizes);
  assertClose(lse, expected.lse, { abs: 1e-2 });
  assertClose(out, expected.out, { abs: 1e-2 });
  for (const values of [dq, dkv]) assert.ok(values.every(Number.isFinite));
});

test("a document's results do not depend on what stands before or after it", () => {
  const random = seededRandom(6);
  const example = randomCase(80, [0, 24, 60], random, { heads: 1 });
  const { sizes } = example;
  const before = runKernels(example);
  const rows = (values: Float32Array): Float32Array => {
    const dims = values.length / sizes.length;
    return values.slice(24 * dims, 60 * dims);
  };
  for (const values of [example.q, example.kv, example.kPe, example.dout]) {
    const dims = values.length / sizes.length;
    const others = normal(values.length, random);
    values.set(others.subarray(0, 24 * dims), 0);
    values.set(others.subarray(60 * dims), 60 * dims);
  }
  const after = runKernels(example);
  for (const name of ["out", "lse", "dq", "dkv", "dkPe"] as const) {
    assert.equal(rows(after[name]), rows(before[name]), name);
    assert.not.equal(after[name], before[name]);
  }
});

test.run();
