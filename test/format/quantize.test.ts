/** The quantisers against blocks by hand, plain loops, and files made by ggml. */
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { TENSOR_TYPES } from "../../src/format/dtypes.js";
import { fromF16Bits, toF16Bits } from "../../src/format/f16.js";
import { type Gguf, openGguf } from "../../src/format/gguf.js";
import {
  DEQUANTIZED_TYPES,
  dequantize,
  type QuantizedType,
  quantize,
  quantized,
} from "../../src/format/quantize.js";
import type { TensorInfo } from "../../src/format/tensors.js";
import { closeSources, openSources } from "../../src/sources/source.js";
import { gaussian, seededRandom } from "../support/random.js";
import { referenceF16Bits, referenceF16Value, referenceQ8_0 } from "../support/reference.js";
import { dequantize as referenceValues } from "./support/dequantize.js";
import { referenceFolder } from "./support/shared.js";

function blocksOf(type: QuantizedType, values: ArrayLike<number>): Uint8Array {
  const blocks = quantized(type, Float32Array.from(values));
  assert.ok(blocks !== undefined);
  return blocks;
}

/** The values, then zeros up to 32. */
function padded(...values: number[]): number[] {
  return [...values, ...new Array<number>(32 - values.length).fill(0)];
}

/** Q4_0 by a plain loop, every step rounded to f32. */
function referenceQ4_0(x: Float32Array): Uint8Array {
  const blocks: number[] = [];
  for (let start = 0; start < x.length; start += 32) {
    const block = [...x.subarray(start, start + 32)];
    const most = Math.max(...block.map(Math.abs));
    const d = Math.fround((most === 0 ? 0 : block.find((v) => Math.abs(v) === most)!) / -8);
    const inverse = d === 0 ? 0 : Math.fround(1 / d);
    const q = block.map((v) => {
      return Math.min(15, Math.trunc(Math.fround(Math.fround(v * inverse) + Math.fround(8.5))));
    });
    const bits = referenceF16Bits(d);
    blocks.push(bits & 255, bits >> 8, ...q.slice(0, 16).map((low, j) => low + 16 * q[16 + j]));
  }
  return Uint8Array.from(blocks);
}

test("f16: every value, the numbers half-way between, extremes", () => {
  for (let bits = 0; bits < 0x10000; bits++) {
    const value = fromF16Bits(bits);
    if (!Object.is(value, referenceF16Value(bits))) assert.unreachable(`value of ${bits}`);
    if (Number.isFinite(value) && toF16Bits(value) !== bits) assert.unreachable(`bits of ${value}`);
    const middle = (value + fromF16Bits(bits + 1)) / 2;
    for (const x of [middle, middle * (1 + 2 ** -20), middle * (1 - 2 ** -20)]) {
      if (Number.isNaN(x)) continue;
      if (toF16Bits(x) !== referenceF16Bits(Math.fround(x))) assert.unreachable(`bits of ${x}`);
    }
  }
  assert.is(toF16Bits(65519), 0x7bff);
  assert.is(toF16Bits(65520), 0x7c00);
  assert.is(toF16Bits(-1e30), 0xfc00);
  assert.is(toF16Bits(Number.NaN), 0x7e00);
  assert.is(toF16Bits(-0), 0x8000);
  assert.is(toF16Bits(2 ** -25), 0);
  assert.is(toF16Bits(2 ** -25 + 2 ** -48), 1);
});

test("Q4_0 by hand: all sixteen values, nibbles in their places", () => {
  const ramp = Array.from({ length: 16 }, (_, j) => j - 8);
  const expected = [0x00, 0x3c, ...ramp.map((_, j) => j | ((15 - j) << 4))];
  assert.equal([...blocksOf("Q4_0", [...ramp, ...[...ramp].reverse()])], expected);
});

test("Q4_0 by hand: the sign of the scale, halves, the largest twice, zeros", () => {
  const low = (values: number[]): number[] =>
    [...blocksOf("Q4_0", padded(...values)).subarray(2, 2 + values.length)].map((b) => b & 15);
  // d = -1: 8 is 0, and -8 would be 16.
  assert.equal([...blocksOf("Q4_0", padded(8, -8)).subarray(0, 4)], [0x00, 0xbc, 0x80, 0x8f]);
  assert.equal(low([8, 0.5, -0.5, 1.5, -1.5, 0.4375, -0.4375, -7.5]), [0, 8, 9, 7, 10, 8, 8, 15]);
  // d = 1: -8 is 0, and 8 would be 16.
  assert.equal([...blocksOf("Q4_0", padded(-8, 8)).subarray(0, 4)], [0x00, 0x3c, 0x80, 0x8f]);
  const zeros = [0x00, 0x80, ...new Array<number>(16).fill(0x88)];
  for (const zero of [0, -0, 1e-40]) {
    assert.equal([...blocksOf("Q4_0", new Array<number>(32).fill(zero))], zeros);
  }
});

test("Q8_0 by hand: halves away from zero, the sign, zeros", () => {
  const values = [127, -127, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 126.5, -126.5, 0.4375, -0.4375, 3];
  const expected = [127, -127, 1, -1, 2, -2, 3, -3, 127, -127, 0, 0, 3].map((q) => q & 255);
  assert.equal([...blocksOf("Q8_0", padded(...values))], [0x00, 0x3c, ...padded(...expected)]);
  for (const zero of [0, -0, 1e-40]) {
    assert.equal(blocksOf("Q8_0", new Array<number>(32).fill(zero)), new Uint8Array(34));
  }
});

test("seeded values of every size, with outliers and ties, equal those of plain loops", () => {
  const random = seededRandom(11);
  for (const scale of [1e-30, 1e-9, 1e-6, 1e-3, 1, 2000]) {
    const normal = gaussian(32 * 200, random, scale / 8);
    const coarse = normal.map((v) => (Math.round((v / scale) * 20) * scale) / 64);
    const spiky = normal.map((v) => (random() < 0.02 ? v * 7 : random() < 0.5 ? 0 : v));
    for (const x of [normal, coarse, spiky].map((values) => Float32Array.from(values))) {
      assert.equal(blocksOf("Q8_0", x), referenceQ8_0(x), `Q8_0 at ${scale}`);
      assert.equal(blocksOf("Q4_0", x), referenceQ4_0(x), `Q4_0 at ${scale}`);
    }
  }
});

test("Q8_0 of Q8_0 that was made from floats is the same", () => {
  const blocks = blocksOf("Q8_0", gaussian(32 * 500, seededRandom(3), 0.02));
  const values = new Float32Array(32 * 500);
  dequantize("Q8_0", blocks, values);
  assert.equal(blocksOf("Q8_0", values), blocks);
});

test("values that are not finite, or too large for the scale, are reported", () => {
  for (const type of ["Q4_0", "Q8_0"] as const) {
    const most = type === "Q4_0" ? 8 : 127;
    const blocks = new Uint8Array(2 * TENSOR_TYPES[type].blockBytes);
    for (const bad of [Number.NaN, Infinity, -Infinity, 65520 * most, -65520 * most, 3e38]) {
      for (const at of [0, 17, 32, 63]) {
        const values = new Float32Array(64).fill(1);
        values[at] = bad;
        assert.is(quantize(type, values, blocks), false, `${type} ${bad}`);
        assert.is(quantized(type, values), undefined);
      }
    }
    assert.is(quantize(type, new Float32Array(64).fill(65519 * most), blocks), true);
  }
});

test("stored values of every type", () => {
  const random = seededRandom(5);
  for (const type of DEQUANTIZED_TYPES) {
    const { blockSize, blockBytes } = TENSOR_TYPES[type];
    // At an odd offset, as a part of other bytes.
    const bytes = Uint8Array.from({ length: 1 + 64 * blockBytes }, () => random() * 256).subarray(
      1,
    );
    const values = new Float32Array(64 * blockSize);
    dequantize(type, bytes, values);
    referenceValues(type, bytes).forEach((value, i) => {
      if (!Object.is(value, values[i])) assert.unreachable(`${type}: ${values[i]}, not ${value}`);
    });
  }
});

async function read(gguf: Gguf, { file, offset, byteLength }: TensorInfo): Promise<Uint8Array> {
  const bytes = new Uint8Array(byteLength);
  await gguf.sources[file].read(offset, bytes);
  return bytes;
}

test("blocks as in reference files of the same floats", async () => {
  const folder = referenceFolder("quantising as the reference files were");
  if (folder === undefined) return;
  const floats = await openGguf(await openSources(join(folder, "mini-f32.gguf")));
  // mini-q8_0.gguf has its halves rounded to even: its one exact half, 108.5, is 108 there.
  for (const [type, halves] of [["Q4_0", 0] as const, ["Q8_0", 1] as const]) {
    const made = await openGguf(await openSources(join(folder, `mini-${type.toLowerCase()}.gguf`)));
    let [tensors, different] = [0, 0];
    for (const tensor of made.tensors.values()) {
      if (tensor.type !== type) continue;
      const blocks = blocksOf(
        type,
        new Float32Array((await read(floats, floats.tensors.get(tensor.name)!)).buffer),
      );
      (await read(made, tensor)).forEach((byte, i) => {
        if (byte === blocks[i]) return;
        assert.equal([byte, blocks[i]], [108, 109]);
        different++;
      });
      tensors++;
    }
    assert.ok(tensors >= 18);
    assert.is(different, halves);
    await closeSources(made.sources);
  }
  await closeSources(floats.sources);
});

test.run();
