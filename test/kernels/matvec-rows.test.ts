/** Products of several sequences' tokens: each row has the bits of the matvec alone. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { TensorType } from "../../src/format/dtypes.js";
import { i16RowBytes } from "../../src/kernels/packed.js";
import { gaussian, seededRandom } from "../support/random.js";
import { quantizeAs } from "./support/activations.js";
import { packedId, packPanels, putShape } from "./support/packing.js";
import { randomTensor, type Tensor, tensorOf } from "./support/tensors.js";
import { Bench, UNWRITTEN_BYTE } from "./support/wasm.js";

type Form = "I16" | "S8X2";

/** File types that are packed as types with a matvec. */
const TYPES: readonly TensorType[] = ["Q8_0", "Q5_0", "Q4_0", "Q4_1", "Q4_K"];

const benches = {
  simd: await Bench.create(24, { variant: "simd" }),
  relaxed: await Bench.create(24, { variant: "relaxed" }),
};

/** Bits as integers, with all NaN alike: their signs and payloads are the engine's to choose. */
function bitsOf(y: Float32Array): Uint32Array {
  const bits = new Uint32Array(y.slice().buffer);
  return bits.map((word, i) => (Number.isNaN(y[i]) ? 0x7fc00000 : word));
}

/** Compares every row with the matvec's, and what lies between the rows with what was there. */
function checkRows(
  bench: Bench,
  form: Form,
  tensor: Tensor,
  x: Float32Array,
  { gap = 0, offset = 0 }: { gap?: number; offset?: number } = {},
): void {
  bench.reset();
  const { type, rows, cols } = tensor;
  const n = x.length / cols;
  const stride = rows + gap;
  const id = packedId(type);
  const w = packPanels(bench, tensor, offset).ptr;
  const xPtr = quantizeAs(bench, form, x, n, offset);
  const length = (n - 1) * stride + rows;
  const [yPtr, expectedPtr] = [bench.region(length * 4, offset), bench.region(length * 4)];
  for (const ptr of [yPtr, expectedPtr]) bench.u8(ptr, length * 4).fill(UNWRITTEN_BYTE);
  const shapePtr = putShape(bench, { n, rows, cols, stride });
  const matvec = form === "I16" ? bench.kernels.matvecI16 : bench.relaxed.matvecS8X2;
  const matvecRows = form === "I16" ? bench.kernels.matvecRowsI16 : bench.relaxed.matvecRowsS8X2;
  for (let t = 0; t < n; t++) {
    matvec(expectedPtr + t * stride * 4, w, id, xPtr + t * i16RowBytes(cols), rows, cols);
  }
  matvecRows(yPtr, w, id, xPtr, shapePtr);
  bench.checkGuards();
  const [y, expected] = [bench.f32(yPtr, length), bench.f32(expectedPtr, length)];
  assert.equal(bitsOf(y), bitsOf(expected), `${type} ${rows}x${cols}, ${n} rows`);
}

for (const [variant, form] of [
  ["simd", "I16"],
  ["relaxed", "I16"],
  ["relaxed", "S8X2"],
] as const) {
  const bench = benches[variant];
  const name = `${variant}, matvecRows${form}`;
  // The type is too rare to have its own.
  const types = TYPES.filter((type) => form === "I16" || type !== "Q4_1");

  for (const type of types) {
    test(`${name}: rows are the matvec's, 1 to 17 of them: ${type}`, () => {
      const random = seededRandom(60);
      for (let n = 1; n <= 17; n++) {
        for (const [rows, cols] of [
          [8, 256],
          [24, 768],
        ]) {
          const tensor = randomTensor({ type, rows, cols }, random);
          checkRows(bench, form, tensor, gaussian(n * cols, random), {
            gap: (n % 3) * 5,
            offset: 4 * (n % 4),
          });
        }
      }
    });

    test(`${name}: rows are the matvec's for odd shapes: ${type}`, () => {
      const random = seededRandom(61);
      for (const cols of [32, 96, 160, 512, 2048, 8192]) {
        if (type === "Q4_K" && cols < 256) continue;
        const tensor = randomTensor({ type, rows: 40, cols }, random);
        for (const n of [2, 7]) {
          checkRows(bench, form, tensor, gaussian(n * cols, random), { gap: 3 });
        }
      }
    });

    test(`${name}: a row with NaN, infinity or zeros leaves the others alone: ${type}`, () => {
      const random = seededRandom(62);
      const tensor = randomTensor({ type, rows: 16, cols: 512 }, random);
      for (const special of [NaN, Infinity, -Infinity, 0, 1e-38, 3e38]) {
        for (let at = 0; at < 7; at++) {
          const x = gaussian(7 * 512, random);
          x.fill(special, at * 512 + 32, at * 512 + 96);
          checkRows(bench, form, tensor, x);
        }
      }
    });
  }

  test(`${name}: integer sums of extremes are the matvec's`, () => {
    const random = seededRandom(63);
    for (const [type, blockBytes, bytes] of [
      ["Q8_0", 34, [0x80, 0x81, 0x7f, 0xff, 0x00]],
      ["Q4_0", 18, [0x00, 0xff, 0x0f, 0xf0, 0x88]],
    ] as const) {
      for (let round = 0; round < 20; round++) {
        const pick = (): number =>
          round < bytes.length ? bytes[round] : bytes[Math.floor(random() * bytes.length)];
        const file = Uint8Array.from({ length: 8 * 3 * blockBytes }, pick);
        const view = new DataView(file.buffer);
        for (let at = 0; at < file.length; at += blockBytes) view.setUint16(at, 0x3c00, true);
        const tensor = tensorOf({ type, rows: 8, cols: 96 }, file);
        const sign = round % 2 === 0 ? 1 : -1;
        const x = Float32Array.from({ length: 7 * 96 }, () =>
          round < 2 * bytes.length || random() < 0.5 ? sign : 2 * random() - 1,
        );
        checkRows(bench, form, tensor, x);
      }
    }
  });
}

test.run();
