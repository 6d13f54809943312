/** Activations in the kernels' forms: read back, and their expected values. */
import { i16RowBytes } from "../../../src/kernels/packed.js";
import type { RoundedForm } from "../../../src/model/linear.js";
import type { Activations } from "./packing.js";
import type { Bench } from "./wasm.js";

/** The forms that only the relaxed variant has. */
export const RELAXED_FORMS: readonly RoundedForm[] = ["S8X2", 1, 2];

/** The largest integer that may stand for a block's largest magnitude. */
export const LARGEST: Readonly<Record<RoundedForm, number>> = {
  I16: 32767,
  S8X2: 32639,
  1: 127,
  2: 32639,
};

/** With one plane, the smallest: the integer that leaves the least squared error is used. */
export const LEAST_LARGEST = 116;

/** Rounded rows [n, cols]: integers, a scale for every 32 of them, and sums of every 16. */
export interface Rounded {
  readonly integers: Int32Array;
  readonly scales: Float32Array;
  readonly sums: Int32Array;
}

/** Tokens that share a tile, bytes of a record, and where its sums and its values begin. */
const TILES = {
  1: { tokens: 4, record: 192, sums: 32, values: 64 },
  2: { tokens: 2, record: 160, sums: 16, values: 32 },
} as const;

/** Bytes of `n` rows of `cols` activations. */
export function formBytes(form: RoundedForm, n: number, cols: number): number {
  if (typeof form === "string") return n * i16RowBytes(cols);
  const { tokens, record } = TILES[form];
  return Math.ceil(n / tokens) * (cols / 32) * record;
}

/** The rows at ptr. Rows past n pad a tile. */
export function readRounded(
  bench: Bench,
  form: RoundedForm,
  ptr: number,
  [n, cols]: readonly [n: number, cols: number],
): Rounded {
  const view = new DataView(bench.memory.buffer);
  const row = (t: number): Rounded =>
    typeof form === "string"
      ? readRow(view, form, ptr + t * i16RowBytes(cols), cols)
      : readTileRow(view, form, ptr, [t, cols]);
  const rows = Array.from({ length: n }, (_, t) => row(t));
  return {
    integers: Int32Array.from(rows.flatMap(({ integers }) => [...integers])),
    scales: Float32Array.from(rows.flatMap(({ scales }) => [...scales])),
    sums: Int32Array.from(rows.flatMap(({ sums }) => [...sums])),
  };
}

function readRow(view: DataView, form: "I16" | "S8X2", ptr: number, cols: number): Rounded {
  const integer = (i: number): number => {
    if (form === "I16") return view.getInt16(ptr + 2 * i, true);
    const at = ptr + (i >> 2) * 8 + (i & 3);
    return 256 * view.getInt8(at) + view.getInt8(at + 4);
  };
  const scales = ptr + 2 * cols;
  const sums = scales + cols / 8;
  return {
    integers: Int32Array.from({ length: cols }, (_, i) => integer(i)),
    scales: Float32Array.from({ length: cols / 32 }, (_, b) =>
      view.getFloat32(scales + 4 * b, true),
    ),
    sums: Int32Array.from({ length: cols / 16 }, (_, i) => view.getInt32(sums + 4 * i, true)),
  };
}

function readTileRow(
  view: DataView,
  planes: 1 | 2,
  ptr: number,
  [t, cols]: readonly [token: number, cols: number],
): Rounded {
  const { tokens, record, sums, values } = TILES[planes];
  const tile = ptr + Math.floor(t / tokens) * (cols / 32) * record;
  const place = t % tokens;
  const integer = (i: number): number => {
    const at = tile + (i >> 5) * record + values + ((i & 31) >> 2) * 16 + (i & 3);
    if (planes === 1) return view.getInt8(at + 4 * place);
    return 256 * view.getInt8(at + 8 * place) + view.getInt8(at + 8 * place + 4);
  };
  const sum = (i: number): number =>
    view.getInt32(tile + (i >> 1) * record + sums + ((i & 1) * tokens + place) * 4, true);
  const scale = (b: number): number => view.getFloat32(tile + b * record + 4 * place, true);
  return {
    integers: Int32Array.from({ length: cols }, (_, i) => integer(i)),
    scales: Float32Array.from({ length: cols / 32 }, (_, b) => scale(b)),
    sums: Int32Array.from({ length: cols / 16 }, (_, i) => sum(i)),
  };
}

/** x, rounded by the form's kernel into a region of its own. */
export function quantizeAs(
  bench: Bench,
  form: RoundedForm,
  x: Float32Array,
  n: number,
  offset = 0,
): number {
  const cols = x.length / n;
  const ptr = bench.region(formBytes(form, n, cols), offset);
  bench.u8(ptr, formBytes(form, n, cols)).fill(0xff);
  const xPtr = bench.put(x, offset);
  if (form === "I16") bench.kernels.quantizeI16(ptr, xPtr, n, cols);
  else if (form === "S8X2") bench.relaxed.quantizeS8X2(ptr, xPtr, n, cols);
  else bench.kernels.quantizePlanes(ptr, xPtr, n, cols, form);
  return ptr;
}

/** x in the form, and the values that it then represents. */
export function activationsAs(
  bench: Bench,
  form: RoundedForm,
  x: Float32Array,
  n: number,
  offset = 0,
): Activations {
  const ptr = quantizeAs(bench, form, x, n, offset);
  const { integers, scales } = readRounded(bench, form, ptr, [n, x.length / n]);
  return {
    ptr,
    values: Float64Array.from(integers, (integer, i) => integer * scales[i >> 5]),
    scales: Float64Array.from(integers, (_, i) => scales[i >> 5]),
  };
}

function nearestEven(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 !== 0) ? below + 1 : below;
}

/** What an integer is written as: in two planes the low byte is never -128, but 1 more. */
export function written(form: RoundedForm, integer: number): number {
  const isSplit = form === "S8X2" || form === 2;
  return isSplit && (integer & 255) === 128 ? integer + 1 : integer;
}

/** The definition, in f32: nearest integers of x * (most / largest of 32), ties to even. */
export function expectedRounded(form: RoundedForm, x: Float32Array): Rounded {
  const scales = new Float32Array(x.length / 32);
  const integers = new Int32Array(x.length);
  for (let b = 0; b < scales.length; b++) {
    const block = x.subarray(b * 32, b * 32 + 32);
    const largest = block.reduce((m, value) => Math.max(m, Math.abs(value)), 0);
    const most = form === 1 ? nearestLargest(block, largest) : LARGEST[form];
    scales[b] = largest / most;
    const inverse = Math.fround(most / largest);
    if (largest === 0 || inverse === Infinity) continue;
    block.forEach((value, i) => {
      integers[b * 32 + i] = written(form, nearestEven(Math.fround(value * inverse)));
    });
  }
  const sums = Int32Array.from({ length: x.length / 16 }, (_, i) =>
    integers.subarray(i * 16, i * 16 + 16).reduce((total, value) => total + value, 0),
  );
  return { integers, scales, sums };
}

/** The largest value's integer that leaves the least squared error in f32; the largest such. */
function nearestLargest(block: Float32Array, largest: number): number {
  const { fround } = Math;
  let [best, least] = [LARGEST[1], Infinity];
  for (let most = LARGEST[1]; most >= LEAST_LARGEST; most--) {
    const factor = fround(most / largest);
    const squares = block.reduce((sum, value) => {
      const scaled = fround(value * factor);
      const error = fround(scaled - nearestEven(scaled));
      return fround(sum + fround(error * error));
    }, 0);
    const error = fround(squares / (most * most));
    if (error < least) [best, least] = [most, error];
  }
  return best;
}
