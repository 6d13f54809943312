import { test } from "uvu";
import * as assert from "uvu/assert";
import { TENSOR_TYPES, type TensorType } from "../../src/format/dtypes.js";
import { fromF16Bits } from "../../src/format/f16.js";
import {
  PACKED_TYPES,
  packedBytes,
  paddedRows,
  sparseScratchBytes,
  unpackedPanelBytes,
} from "../../src/kernels/packed.js";
import { PACKED_TYPE_OF } from "../../src/model/weights.js";
import { seededRandom } from "../support/random.js";
import {
  isFloat,
  packedId,
  packPanels,
  packSlab,
  putActivations,
  putActive,
  putSlabShape,
} from "./support/packing.js";
import {
  F16_FIELDS,
  FLOAT_TYPES,
  QUANTIZED_TYPES,
  randomTensor,
  type Tensor,
  tensorOf,
} from "./support/tensors.js";
import { Bench } from "./support/wasm.js";

const bench = await Bench.create();
const kernels = bench.kernels;
const ALL_TYPES: readonly TensorType[] = [...QUANTIZED_TYPES, ...FLOAT_TYPES];

function dequantizeRow(ptr: number, { type, cols }: Tensor, row: number): Float32Array {
  const yPtr = bench.region(cols * 4, 4);
  const scratchPtr = bench.region(isFloat(type) ? 0 : unpackedPanelBytes(cols));
  kernels.dequantizeRow(yPtr, ptr, packedId(type), row, cols, scratchPtr);
  return bench.f32(yPtr, cols);
}

/** Weights of one neuron: a slab's outputs for an activation of exactly 1. */
function slabColumn(ptr: number, { type, rows, cols }: Tensor, neuron: number): Float32Array {
  const yPtr = bench.region(rows * 4);
  const shapePtr = putSlabShape(bench, { neurons: cols, outputs: rows });
  const activePtr = putActive(bench, [[neuron]], cols);
  if (isFloat(type)) {
    const xPtr = bench.put(Float32Array.from({ length: cols }, (_, i) => (i === neuron ? 1 : 0)));
    kernels.sparseMatmulF32(yPtr, ptr, packedId(type), xPtr, activePtr, 1, shapePtr);
    return bench.f32(yPtr, rows);
  }
  const integers = new Int16Array(cols);
  integers[neuron] = 1;
  const xPtr = putActivations(bench, integers, new Float32Array(cols / 32).fill(1));
  const scratchPtr = bench.region(sparseScratchBytes(1, rows));
  kernels.sparseMatmulI16(yPtr, ptr, packedId(type), xPtr, activePtr, 1, shapePtr, scratchPtr);
  return bench.f32(yPtr, rows);
}

// An integer times its scale is exact in f32, so a value rounds once, where its minimum is added,
// and the kernels give the reference's floats. A zero may lose its sign: compared as value + 0.
const plain = (values: ArrayLike<number>): number[] => Array.from(values, (value) => value + 0);

test("panels hold every value of every type", () => {
  const random = seededRandom(20);
  for (const type of ALL_TYPES) {
    const { blockSize } = TENSOR_TYPES[type];
    for (const rows of [8, 16, 24]) {
      for (const blocks of [1, 2, 3]) {
        bench.reset();
        const tensor = randomTensor({ type, rows, cols: blocks * Math.max(blockSize, 32) }, random);
        const packed = packPanels(bench, tensor, 4);
        assert.is(packed.bad, 0, type);
        const { cols } = tensor;
        for (let r = 0; r < rows; r++) {
          const expected = tensor.values.subarray(r * cols, (r + 1) * cols);
          const actual = dequantizeRow(packed.ptr, tensor, r);
          assert.equal(plain(actual), plain(expected), `${type} ${rows}x${cols} row ${r}`);
        }
        bench.checkGuards();
      }
    }
  }
});

test("slabs hold every value of every type", () => {
  const random = seededRandom(21);
  for (const type of ALL_TYPES) {
    for (const [rows, step] of [
      [64, 64],
      [192, 64],
      [192, 192],
      [256, 128],
      [128, type === "Q6_K" ? 64 : 32],
      ...(type === "Q6_K"
        ? []
        : [
            [96, 64],
            [96, 96],
            [160, 160],
          ]),
    ]) {
      const cols = 256 * (rows === 64 ? 2 : 1);
      const tensor = randomTensor({ type, rows, cols }, random);
      bench.reset();
      const packed = packSlab(bench, tensor, step);
      assert.is(packed.bad, 0, type);
      for (let j = 0; j < cols; j++) {
        const expected = Array.from({ length: rows }, (_, r) => tensor.values[r * cols + j]);
        const actual = slabColumn(packed.ptr, tensor, j);
        assert.equal(plain(actual), plain(expected), `${type} ${rows}x${cols} neuron ${j}`);
      }
      bench.checkGuards();
    }
  }
});

/** 64 rows of Q8_0 or Q4_0, with these block scales and 5 as value 1. */
function scaleTensor(type: "Q8_0" | "Q4_0", scales: readonly number[]): Tensor {
  const { blockBytes } = TENSOR_TYPES[type];
  const bytes = new Uint8Array(scales.length * blockBytes);
  const view = new DataView(bytes.buffer);
  scales.forEach((bits, i) => {
    view.setUint16(i * blockBytes, bits, true);
    bytes[i * blockBytes + 3] = type === "Q8_0" ? 5 : 13;
  });
  return tensorOf({ type, rows: 64, cols: scales.length / 2 }, bytes);
}

/** All f16 below 128 and above -128. */
const SCALES = Array.from({ length: 2 * 0x5800 }, (_, i) => (i >> 1) | ((i & 1) << 15));

test("panels and slabs hold every scale below 128, subnormal or not", async () => {
  const large = await Bench.create(64);
  for (const type of ["Q8_0", "Q4_0"] as const) {
    const tensor = scaleTensor(type, SCALES);
    const { cols } = tensor;
    large.reset();
    const panels = packPanels(large, tensor);
    const slab = packSlab(large, tensor);
    assert.is(panels.bad | slab.bad, 0);
    const rowPtr = large.region(cols * 4);
    const unpackPtr = large.region(unpackedPanelBytes(cols));
    const { panelBytes } = PACKED_TYPES[PACKED_TYPE_OF[type]];
    for (let r = 0; r < 64; r++) {
      large.kernels.dequantizeRow(rowPtr, panels.ptr, packedId(type), r, cols, unpackPtr);
      const row = large.f32(rowPtr, cols);
      for (let b = 0; b < cols / 32; b++) {
        const bits = SCALES[(r * cols) / 32 + b];
        assert.is(row[b * 32 + 1] + 0, 5 * fromF16Bits(bits) + 0, `${type} ${bits}`);
        const panelPtr = panels.ptr + ((r >> 3) * (cols / 32) + b) * panelBytes;
        const held = large.i16(panelPtr, 8)[r & 7];
        assert.is(large.i16(slab.ptr + b * 128, 64)[r], held, `${type} ${bits}`);
      }
    }
    large.checkGuards();
  }
});

test("scales of 128 and more are reported, wherever they are", () => {
  const cases = [
    [0x5800, 2],
    [0xd800, 2],
    [0x7bff, 2],
    [0x7c00, 1],
    [0xfe00, 1],
  ];
  for (const type of ["Q8_0", "Q4_0"] as const) {
    for (const [bits, bad] of cases) {
      for (const at of [0, 1, 77, 127]) {
        bench.reset();
        const scales = SCALES.slice(-128).map((scale, i) => (i === at ? bits : scale));
        const tensor = scaleTensor(type, scales);
        assert.is(packPanels(bench, tensor).bad, bad, `${type} ${bits} panels`);
        assert.is(packSlab(bench, tensor).bad, bad, `${type} ${bits} slab`);
      }
    }
  }
});

test("scales that are not finite are reported", () => {
  const random = seededRandom(22);
  for (const type of QUANTIZED_TYPES) {
    const { blockBytes, blockSize } = TENSOR_TYPES[type];
    const tensor = randomTensor({ type, rows: 64, cols: 2 * blockSize }, random);
    for (const field of F16_FIELDS[type]!) {
      for (const bits of [0x7c00, 0xfc00, 0x7e00, 0xfe01, 0x7c01]) {
        bench.reset();
        const bytes = tensor.bytes.slice();
        const block = Math.floor(random() * 128) * blockBytes;
        new DataView(bytes.buffer).setUint16(block + field, bits, true);
        assert.is(packPanels(bench, { ...tensor, bytes }).bad, 1, `${type} ${bits} panels`);
        assert.is(packSlab(bench, { ...tensor, bytes }).bad, 1, `${type} ${bits} slab`);
        bench.checkGuards();
      }
    }
  }
});

test("weights that are not finite are reported; the largest finite ones are not", () => {
  const random = seededRandom(23);
  const cases: [TensorType, number[], number[]][] = [
    ["F32", [0x7f800000, 0xff800000, 0x7fc00000, 0xff800001], [0x7f7fffff, 0xff7fffff, 1]],
    ["F16", [0x7c00, 0xfc00, 0x7e00, 0xfc01], [0x7bff, 0xfbff, 1]],
    ["BF16", [0x7f80, 0xff80, 0x7fc0, 0xff81], [0x7f7f, 0xff7f, 1]],
  ];
  for (const [type, bad, good] of cases) {
    const tensor = randomTensor({ type, rows: 64, cols: 32 }, random);
    for (const [list, expected] of [[bad, 1] as const, [good, 0] as const]) {
      for (const bits of list) {
        bench.reset();
        const bytes = tensor.bytes.slice();
        const words =
          type === "F32" ? new Uint32Array(bytes.buffer) : new Uint16Array(bytes.buffer);
        words[Math.floor(random() * words.length)] = bits;
        assert.is(packPanels(bench, { ...tensor, bytes }).bad, expected, `${type} ${bits}`);
        assert.is(packSlab(bench, { ...tensor, bytes }).bad, expected, `${type} ${bits} slab`);
        bench.checkGuards();
      }
    }
  }
});

test("packed weights take little more than the file's bytes", () => {
  for (const type of ALL_TYPES) {
    const { blockSize, blockBytes } = TENSOR_TYPES[type];
    const fileBytes = (256 / blockSize) * blockBytes;
    const ratio = packedBytes(PACKED_TYPE_OF[type], 64, 256) / (64 * fileBytes);
    const exact = !["Q5_0", "Q5_1", "Q2_K", "Q3_K", "Q5_K"].includes(type);
    assert.ok(ratio >= 1 && (!exact || ratio <= 1.1), `${type}: ${ratio}`);
    const name = PACKED_TYPE_OF[type];
    assert.is(packedBytes(name, 9, 256), packedBytes(name, isFloat(type) ? 9 : 16, 256));
    assert.is(paddedRows(name, 16), 16);
  }
});

test.run();
