/**
 * Cases of attention: absorbed over each type of cache, expanded over a tile, and the cache's rows.
 */

import * as assert from "uvu/assert";
import { isRelaxed } from "../src/kernels/kernels.js";
import {
  attendExpandedQueryBytes,
  attendExpandedScratchBytes,
  attendExpandedStateBytes,
  attendLatentScratchBytes,
  PAGE_ROWS,
} from "../src/kernels/packed.js";
import { ExpandedTile, LatentShape } from "../src/kernels/structs.js";
import { ROW_TYPES, type RowType, rowBytes } from "../test/kernels/support/latent.js";
import { assertWithin } from "../test/kernels/support/linear-reference.js";
import type { Bench } from "../test/kernels/support/wasm.js";
import { assertClose, relativeRms } from "../test/support/close.js";
import { gaussian, seededRandom } from "../test/support/random.js";
import {
  referenceExpanded,
  referenceLatentOutput,
  referenceLatentWeights,
} from "../test/support/reference.js";
import type { Case } from "./workspace.js";

const HEADS = 16;
const LATENT_DIM = 512;
const NOPE_DIM = 128;
const ROPE_DIM = 64;
const VALUE_DIM = 128;
const DIMS = LATENT_DIM + ROPE_DIM;
const QK_DIM = NOPE_DIM + ROPE_DIM;
const KV_DIM = NOPE_DIM + VALUE_DIM;
const SCALE = Math.fround(QK_DIM ** -0.5);

/** Largest relative rms error of expanded attention in integers. */
const EXPANDED_INTEGER_ERROR = 2e-3;

/** Positions that the model expands at a time. */
const TILE = 64;
const QUERIES = 128;

/**
 * Largest relative rms errors. With outliers in the rows, scores are in the tens and round by 1e-6
 * in f32, and so do the weights; in integers, queries, weights and q8_0 rows keep 14 bits of their
 * largest value.
 */
const LARGEST_ERROR: Readonly<Record<RowType, number>> = {
  F32: 5e-6,
  F16: 1e-3,
  I16: 1e-3,
  Q8_0: 2e-3,
};

/** With q8_0 rows the relaxed variant keeps 8 bits of a query, which outliers of rows multiply. */
const LARGEST_ERROR_Q8_0_RELAXED = 3e-2;

function largestError(type: RowType, bench: Bench): number {
  const isEight = type === "Q8_0" && isRelaxed(bench.kernels);
  return isEight ? LARGEST_ERROR_Q8_0_RELAXED : LARGEST_ERROR[type];
}

const sourceRows = new Map<number, Float32Array>();

/** f32[positions, DIMS], made once. */
function latentRows(positions: number): Float32Array {
  const rows = sourceRows.get(positions) ?? gaussian(positions * DIMS, seededRandom(7));
  sourceRows.set(positions, rows);
  return rows;
}

/** Stores rows [positions, DIMS] as a cache of `type`; returns its address and contents. */
function fillCache(
  bench: Bench,
  type: RowType,
  rows: Float32Array,
): { cachePtr: number; cached: Float32Array } {
  const positions = rows.length / DIMS;
  const cachePtr = bench.region(positions * rowBytes(type, DIMS));
  const rowPtr = bench.region(DIMS * 4);
  const kPePtr = rowPtr + LATENT_DIM * 4;
  const row = new Float32Array(bench.memory.buffer, rowPtr, DIMS);
  const cached = new Float32Array(rows.length);
  for (let t = 0; t < positions; t++) {
    const ptr = cachePtr + t * rowBytes(type, DIMS);
    row.set(rows.subarray(t * DIMS, (t + 1) * DIMS));
    bench.kernels[`storeLatent${type}`](ptr, rowPtr, LATENT_DIM, kPePtr, ROPE_DIM);
    bench.kernels[`loadLatent${type}`](rowPtr, kPePtr, ptr, 1, LATENT_DIM, ROPE_DIM);
    cached.set(row, t * DIMS);
  }
  return { cachePtr, cached };
}

function latentCase(type: RowType, positions: number): Case {
  return {
    name: `attendLatent${type} ${HEADS} heads, ${positions} positions`,
    amount: HEADS * positions * (DIMS + LATENT_DIM),
    unit: "MAC",
    prepare({ bench }) {
      const q = gaussian(HEADS * DIMS, seededRandom(8), 0.1);
      const { cachePtr, cached } = fillCache(bench, type, latentRows(positions));
      const stride = rowBytes(type, DIMS);
      const pages = Uint32Array.from(
        { length: Math.ceil(positions / PAGE_ROWS) },
        (_, i) => cachePtr + i * PAGE_ROWS * stride,
      );
      const shape = new LatentShape(bench.memory, bench.region(LatentShape.BYTES));
      shape.write({
        ...{ heads: HEADS, latentDim: LATENT_DIM, ropeDim: ROPE_DIM, scale: SCALE },
        ...{ stride, offset: 0, unscored: 0 },
      });
      const [qPtr, pagesPtr] = [bench.put(q), bench.put(pages)];
      const scratch = attendLatentScratchBytes(HEADS, LATENT_DIM, ROPE_DIM);
      const [outPtr, scratchPtr] = [bench.region(HEADS * LATENT_DIM * 4), bench.region(scratch)];
      const attend = bench.kernels[`attendLatent${type}`];
      const run = (): void => attend(outPtr, qPtr, pagesPtr, positions, shape.ptr, scratchPtr);
      return {
        run,
        check() {
          run();
          for (const h of [0, HEADS - 1]) {
            const head = q.subarray(h * DIMS, (h + 1) * DIMS);
            const sizes = { heads: 1, latentDim: LATENT_DIM, ropeDim: ROPE_DIM, scale: SCALE };
            const query = { ...sizes, q: head };
            const weights = referenceLatentWeights(query, cached);
            const expected = referenceLatentOutput(query, weights, cached);
            const rms = relativeRms(bench.f32(outPtr + h * LATENT_DIM * 4, LATENT_DIM), expected);
            assert.ok(rms <= largestError(type, bench), `head ${h}: relative rms error ${rms}`);
          }
        },
      };
    },
  };
}

/** One head of f32[n, HEADS, dim]. */
function headOf(x: Float32Array, dim: number, h: number): Float32Array {
  const n = x.length / (HEADS * dim);
  return Float32Array.from(
    { length: n * dim },
    (_, i) => x[(Math.floor(i / dim) * HEADS + h) * dim + (i % dim)],
  );
}

interface ExpandedOperands {
  readonly q: Float32Array;
  readonly kv: Float32Array;
  readonly kPe: Float32Array;
}

/** Compares the first and last head of out f32[QUERIES, HEADS, VALUE_DIM], queries from TILE on. */
function checkExpanded(
  out: Float32Array,
  { q, kv, kPe }: ExpandedOperands,
  isInteger: boolean,
): void {
  for (const h of [0, HEADS - 1]) {
    const { expected, bound } = referenceExpanded({
      ...{ queries: QUERIES, heads: 1, nopeDim: NOPE_DIM, ropeDim: ROPE_DIM, valueDim: VALUE_DIM },
      ...{ scale: SCALE, queryPosition: TILE, positions: TILE + QUERIES, kPe },
      ...{ q: headOf(q, QK_DIM, h), kv: headOf(kv, KV_DIM, h) },
    });
    const actual = headOf(out, VALUE_DIM, h);
    if (!isInteger) assertWithin(actual, expected, (i) => bound[i], `head ${h}, output`);
    else assert.ok(relativeRms(actual, expected) < EXPANDED_INTEGER_ERROR, `head ${h}, output`);
  }
}

/** The first tile. */
function putExpandedTile(bench: Bench): ExpandedTile {
  const tile = new ExpandedTile(bench.memory, bench.region(ExpandedTile.BYTES));
  tile.write({
    ...{ queries: QUERIES, queryPosition: TILE, heads: HEADS, firstHead: 0, endHead: HEADS },
    ...{ nopeDim: NOPE_DIM, ropeDim: ROPE_DIM, valueDim: VALUE_DIM },
    ...{ scale: SCALE, kPeStride: ROPE_DIM },
  });
  return tile;
}

/**
 * Timed on a tile that is visible to every query: the first of three; all three are checked. In
 * integers as over the i16 cache, or in f32.
 */
function expandedCase(kind: "I16" | "F32"): Case {
  const positions = TILE + QUERIES;
  const isInteger = kind === "I16";
  const kernel = isInteger ? "attendExpandedTileI16" : "attendExpandedTile";
  return {
    name: `${kernel} ${HEADS} heads, ${QUERIES} queries, ${TILE} positions`,
    amount: HEADS * QUERIES * TILE * (QK_DIM + VALUE_DIM),
    unit: "MAC",
    prepare({ bench }) {
      const { kernels } = bench;
      const random = seededRandom(9);
      const q = gaussian(QUERIES * HEADS * QK_DIM, random, 0.3);
      const kv = gaussian(positions * HEADS * KV_DIM, random);
      const kPe = gaussian(positions * ROPE_DIM, random);
      const [qPtr, kvPtr, kPePtr] = [bench.put(q), bench.put(kv), bench.put(kPe)];
      const outPtr = bench.region(QUERIES * HEADS * VALUE_DIM * 4);
      const statePtr = bench.region(attendExpandedStateBytes(QUERIES, HEADS));
      const scratch = attendExpandedScratchBytes(NOPE_DIM, ROPE_DIM, VALUE_DIM);
      const scratchPtr = bench.region(scratch);
      const packedPtr = bench.region(attendExpandedQueryBytes(QUERIES, HEADS, QK_DIM));
      const { attendExpandedTile: attendTile, attendExpandedTileI16: attendTileI16 } = kernels;
      const tile = putExpandedTile(bench);
      const tilePtr = tile.ptr;
      const attend = (first: number): void => {
        const kvTile = kvPtr + first * HEADS * KV_DIM * 4;
        const kPeTile = kPePtr + first * ROPE_DIM * 4;
        tile.moveTo(first, TILE);
        if (isInteger)
          attendTileI16(outPtr, statePtr, packedPtr, kvTile, kPeTile, tilePtr, scratchPtr);
        else attendTile(outPtr, statePtr, qPtr, kvTile, kPeTile, tilePtr, scratchPtr);
      };
      const start = (): void => {
        if (isInteger) kernels.attendExpandedStartI16(outPtr, statePtr, packedPtr, qPtr, tilePtr);
        else kernels.attendExpandedStart(outPtr, statePtr, tilePtr);
      };
      return {
        run: () => attend(0),
        check() {
          start();
          for (let first = 0; first < positions; first += TILE) attend(first);
          if (isInteger) kernels.attendExpandedFinishI16(outPtr, statePtr, tilePtr);
          else kernels.attendExpandedFinish(outPtr, statePtr, tilePtr);
          const out = bench.f32(outPtr, QUERIES * HEADS * VALUE_DIM);
          checkExpanded(out, { q, kv, kPe }, isInteger);
          start();
        },
      };
    },
  };
}

/** Largest error of a stored value, as a share of the largest value that it shares a scale with. */
const ROW_ERROR: Readonly<Record<RowType, number>> = {
  F32: 0,
  F16: 2 ** -11,
  I16: 0.501 / 8191,
  Q8_0: 0.51 / 127 + 2 ** -11,
};

/** Storing one row of a decoded token, or loading a tile of rows. */
function rowCase(type: RowType, kernel: "store" | "load"): Case {
  const count = kernel === "store" ? 1 : TILE;
  return {
    name: `${kernel}Latent${type} ${count} x ${DIMS}`,
    amount: count * DIMS,
    unit: "element",
    prepare({ bench }) {
      const rows = latentRows(512).subarray(0, TILE * DIMS);
      const { cachePtr } = fillCache(bench, type, rows);
      const [sourcePtr, latentsPtr] = [bench.put(rows), bench.region(TILE * LATENT_DIM * 4)];
      const kPesPtr = bench.region(TILE * ROPE_DIM * 4);
      const store = bench.kernels[`storeLatent${type}`];
      const load = bench.kernels[`loadLatent${type}`];
      const kPePtr = sourcePtr + LATENT_DIM * 4;
      const loadAll = (): void => load(latentsPtr, kPesPtr, cachePtr, TILE, LATENT_DIM, ROPE_DIM);
      const storeFirst = (): void => store(cachePtr, sourcePtr, LATENT_DIM, kPePtr, ROPE_DIM);
      return {
        run: kernel === "load" ? loadAll : storeFirst,
        check() {
          bench.u8(cachePtr, rowBytes(type, DIMS)).fill(0xff);
          storeFirst();
          loadAll();
          for (let t = 0; t < TILE; t++) {
            const row = rows.subarray(t * DIMS, (t + 1) * DIMS);
            const latent = bench.f32(latentsPtr + t * LATENT_DIM * 4, LATENT_DIM);
            const kPe = bench.f32(kPesPtr + t * ROPE_DIM * 4, ROPE_DIM);
            const amax = (x: Float32Array): number => Math.max(...x.map(Math.abs));
            const close = (actual: Float32Array, expected: Float32Array): void =>
              assertClose(actual, expected, { abs: ROW_ERROR[type] * amax(expected) }, `row ${t}`);
            close(latent, row.subarray(0, LATENT_DIM));
            close(kPe, row.subarray(LATENT_DIM));
          }
        },
      };
    },
  };
}

/** All cases of attention. */
export const ATTENTION_CASES: readonly Case[] = [
  ...ROW_TYPES.flatMap((type) => [latentCase(type, 512), latentCase(type, 4096)]),
  expandedCase("I16"),
  expandedCase("F32"),
  ...ROW_TYPES.map((type) => rowCase(type, "store")),
  ...ROW_TYPES.map((type) => rowCase(type, "load")),
];
