import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  attendExpandedQueryBytes,
  attendExpandedScratchBytes,
  attendExpandedStateBytes,
} from "../../src/kernels/packed.js";
import { ExpandedTile } from "../../src/kernels/structs.js";
import { assertClose, relativeRms } from "../support/close.js";
import { gaussian, seededRandom } from "../support/random.js";
import { type ExpandedInput, referenceExpanded } from "../support/reference.js";
import { Bench, UNWRITTEN, UNWRITTEN_BYTE } from "./support/wasm.js";

/** Relative rms error that integer queries, keys, values and weights keep, with outliers. */
const INTEGER_ERROR = 2e-3;

const bench = await Bench.create(32);

interface Call {
  /** Bytes past 16-byte alignment. */
  offset?: number;
  /** Unused elements between rows of kPe. */
  kPeGap?: number;
  /** Whether the integer kernels are used. */
  integer?: boolean;
  /** Whether the packed queries end where memory does. */
  atEnd?: boolean;
  /** Only these heads, first to end. */
  ownHeads?: readonly [first: number, end: number];
}

/** Attention by kernels, the positions in tiles of these sizes, in this order. */
function attend(
  input: ExpandedInput,
  tiles: number[],
  {
    offset = 0,
    kPeGap = 0,
    integer = false,
    atEnd = false,
    ownHeads = [0, input.heads],
  }: Call = {},
): Float32Array {
  const { queries, heads, nopeDim, ropeDim, valueDim, queryPosition, positions } = input;
  const kernels = bench.kernels;
  bench.reset();
  const outSize = queries * heads * valueDim;
  const [out, state] = [
    bench.region(outSize * 4, offset),
    bench.region(attendExpandedStateBytes(queries, heads)),
  ];
  bench.u8(out, outSize * 4).fill(UNWRITTEN_BYTE);
  const [q, kv] = [bench.put(input.q, offset), bench.put(input.kv, offset)];
  const kPeStride = ropeDim + kPeGap;
  const spaced = new Float32Array(positions * kPeStride).fill(Number.NaN);
  for (let t = 0; t < positions; t++) {
    spaced.set(input.kPe.subarray(t * ropeDim, (t + 1) * ropeDim), t * kPeStride);
  }
  const kPe = bench.put(spaced, offset);
  const scratchBytes = attendExpandedScratchBytes(nopeDim, ropeDim, valueDim);
  const scratch = bench.region(scratchBytes, offset);
  bench.u8(scratch, scratchBytes).fill(0xff);
  const packedBytes = attendExpandedQueryBytes(queries, heads, nopeDim + ropeDim);
  const end = bench.memory.buffer.byteLength;
  const packed = atEnd ? end - packedBytes : bench.region(packedBytes, offset);
  const tile = new ExpandedTile(bench.memory, bench.region(ExpandedTile.BYTES));
  const [firstHead, endHead] = ownHeads;
  const { scale } = input;
  tile.write({
    ...{ queries, heads, nopeDim, ropeDim, valueDim },
    ...{ scale, queryPosition, kPeStride, firstHead, endHead },
  });
  if (integer) kernels.attendExpandedStartI16(out, state, packed, q, tile.ptr);
  else kernels.attendExpandedStart(out, state, tile.ptr);
  let first = 0;
  for (const count of tiles) {
    tile.moveTo(first, count);
    const rows = kv + first * heads * (nopeDim + valueDim) * 4;
    const kPeRows = kPe + first * kPeStride * 4;
    if (integer) {
      kernels.attendExpandedTileI16(out, state, packed, rows, kPeRows, tile.ptr, scratch);
    } else kernels.attendExpandedTile(out, state, q, rows, kPeRows, tile.ptr, scratch);
    first += count;
  }
  assert.is(first, positions);
  if (integer) kernels.attendExpandedFinishI16(out, state, tile.ptr);
  else kernels.attendExpandedFinish(out, state, tile.ptr);
  bench.checkGuards();
  return bench.f32(out, outSize);
}

function randomInput(
  [heads, nopeDim, ropeDim, valueDim]: number[],
  queries: number,
  queryPosition: number,
  seed: number,
): ExpandedInput {
  const random = seededRandom(seed);
  const positions = queryPosition + queries;
  return {
    ...{ heads, nopeDim, ropeDim, valueDim, queries, queryPosition, positions },
    scale: Math.fround((nopeDim + ropeDim) ** -0.5),
    q: gaussian(queries * heads * (nopeDim + ropeDim), random, 0.3),
    kv: gaussian(positions * heads * (nopeDim + valueDim), random),
    kPe: gaussian(positions * ropeDim, random),
  };
}

function check(input: ExpandedInput, tiles: number[], call: Call = {}): void {
  const { expected, bound } = referenceExpanded(input);
  const what = `${input.queries} queries at ${input.queryPosition}, tiles ${tiles}`;
  const actual = attend(input, tiles, call);
  for (let i = 0; i < expected.length; i++) {
    assertClose([actual[i]], [expected[i]], { abs: bound[i] }, `${what}, output ${i}`);
  }
  if (input.nopeDim % 8 || input.ropeDim % 8) return;
  const error = relativeRms(attend(input, tiles, { ...call, integer: true }), expected);
  assert.ok(error < INTEGER_ERROR, `${what}: integer error ${error}`);
}

test("every count of queries and positions, odd ones included", () => {
  for (const shape of [
    [1, 4, 4, 8],
    [3, 12, 4, 24],
    [2, 16, 8, 8],
    [3, 8, 16, 24],
  ]) {
    for (const queries of [1, 2, 3, 4, 5, 15, 16, 17, 33]) {
      for (const queryPosition of [0, 1, 30, 31, 32, 33, 65]) {
        const input = randomInput(shape, queries, queryPosition, queries);
        check(input, [input.positions], { offset: 4 * (queries & 1) });
      }
    }
  }
});

test("reads nothing past the packed queries, which may end where memory does", () => {
  for (const queries of [1, 4, 5, 9, 12]) {
    check(randomInput([3, 8, 16, 24], queries, 40, queries), [40 + queries], { atEnd: true });
  }
});

test("PLM's shape", () => {
  check(randomInput([16, 128, 64, 128], 24, 40, 40), [64], { kPeGap: 512 });
});

test("any tiling of the positions gives the same, late and empty tiles included", () => {
  const input = randomInput([2, 16, 8, 16], 20, 83, 41);
  for (const tiles of [
    [103],
    [64, 39],
    [1, 102],
    [32, 32, 32, 7],
    [50, 0, 50, 3],
    Array<number>(103).fill(1),
  ]) {
    check(input, tiles);
  }
  check(randomInput([2, 16, 8, 16], 100, 0, 42), [7, 60, 33]);
});

test("separate heads equal those of the whole, and no others are written", () => {
  const input = randomInput([5, 16, 8, 16], 6, 20, 94);
  const { heads, valueDim } = input;
  const whole = attend(input, [13, 13]);
  for (const [first, end] of [
    [0, 1],
    [1, 3],
    [3, 5],
    [0, 5],
  ] as const) {
    const expected = whole.map((value, i) => {
      const head = Math.floor(i / valueDim) % heads;
      return head >= first && head < end ? value : UNWRITTEN;
    });
    assert.equal(
      attend(input, [13, 13], { ownHeads: [first, end] }),
      expected,
      `${first} to ${end}`,
    );
  }
});

test("a query does not see what comes after it", () => {
  const input = randomInput([2, 8, 8, 8], 10, 25, 43);
  const changed = { ...input, kv: input.kv.slice(), kPe: input.kPe.slice() };
  changed.kv.fill(1e6, 30 * 2 * 16);
  changed.kPe.fill(-1e6, 30 * 8);
  for (const integer of [false, true]) {
    const before = attend(input, [35], { integer });
    const after = attend(changed, [35], { integer });
    // One weight scale serves a tile: in integers what is hidden must not reach even that.
    assertClose(after.subarray(0, 5 * 16), before.subarray(0, 5 * 16), {});
  }
});

test("scores thousands apart pick the largest, whichever tile it is in", () => {
  const input = randomInput([1, 8, 8, 8], 1, 99, 44);
  for (const top of [0, 40, 99]) {
    input.q.fill(0).fill(1000, 8, 9);
    for (let t = 0; t < 100; t++) input.kPe[t * 8] = -10 * Math.abs(t - top);
    const values = input.kv.subarray(top * 16 + 8, top * 16 + 16);
    assertClose(attend(input, [37, 63]), values, { rel: 2 ** -22 });
    const error = relativeRms(attend(input, [37, 63], { integer: true }), values);
    assert.ok(error < 1e-4, `integer error ${error}`);
  }
});

test.run();
