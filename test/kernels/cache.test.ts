import { test } from "uvu";
import * as assert from "uvu/assert";
import type { LoadLatent, StoreLatent } from "../../src/kernels/kernels.js";
import { gaussian, seededRandom } from "../support/random.js";
import {
  referenceF16Bits,
  referenceF16Value,
  referenceI16Row,
  referenceQ8_0,
  referenceQ8_0Values,
} from "../support/reference.js";
import { Bench } from "./support/wasm.js";

const bench = await Bench.create();
const kernels = bench.kernels;

function storeRow(
  store: StoreLatent,
  bytes: number,
  latent: Float32Array,
  kPe: Float32Array,
  offset = 0,
): Uint8Array {
  bench.reset();
  const [latentPtr, kPePtr] = [bench.put(latent, offset), bench.put(kPe, offset)];
  const rowPtr = bench.region(bytes, offset);
  store(rowPtr, latentPtr, latent.length, kPePtr, kPe.length);
  bench.checkGuards();
  return bench.u8(rowPtr, bytes).slice();
}

function loadRows(
  load: LoadLatent,
  rows: Uint8Array,
  [count, latentDim, ropeDim]: number[],
  offset = 0,
): { latents: Float32Array; kPes: Float32Array } {
  bench.reset();
  const rowsPtr = bench.put(rows, offset);
  const latentsPtr = bench.region(count * latentDim * 4, offset);
  const kPesPtr = bench.region(count * ropeDim * 4, offset);
  load(latentsPtr, kPesPtr, rowsPtr, count, latentDim, ropeDim);
  bench.checkGuards();
  const latents = bench.f32(latentsPtr, count * latentDim);
  return { latents, kPes: bench.f32(kPesPtr, count * ropeDim) };
}

const f16Bits = (x: Float32Array): Uint16Array =>
  Uint16Array.from(x, (value, i) =>
    referenceF16Bits(value, new Uint32Array(x.buffer, x.byteOffset)[i] >>> 31 === 1),
  );
const bytesOf = (x: ArrayBufferView): Uint8Array =>
  new Uint8Array(x.buffer, x.byteOffset, x.byteLength);

function concat(...parts: Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

test("rows have the documented bytes for every shape and offset", () => {
  const random = seededRandom(9);
  for (const [latentDim, ropeDim] of [
    [0, 0],
    [8, 8],
    [8, 0],
    [96, 24],
    [64, 32],
    [512, 64],
  ]) {
    for (const offset of [0, 4]) {
      const latent = gaussian(latentDim, random);
      const kPe = gaussian(ropeDim, random, 30);
      const n = latentDim + ropeDim;
      const row = (store: StoreLatent, bytes: number): number[] => [
        ...storeRow(store, bytes, latent, kPe, offset),
      ];
      const f32 = concat(bytesOf(latent), bytesOf(kPe));
      assert.equal(row(kernels.storeLatentF32, 4 * n), [...f32]);
      const f16 = concat(bytesOf(f16Bits(latent)), bytesOf(f16Bits(kPe)));
      assert.equal(row(kernels.storeLatentF16, 2 * n), [...f16]);
      assert.equal(row(kernels.storeLatentI16, 16 + 2 * n), [...referenceI16Row(latent, kPe)]);
      if (latentDim % 32 || ropeDim % 32) continue;
      const q8 = concat(referenceQ8_0(latent), referenceQ8_0(kPe));
      assert.equal(row(kernels.storeLatentQ8_0, (34 * n) / 32), [...q8]);
    }
  }
});

test("several rows read back as their values", () => {
  const random = seededRandom(10);
  for (const [count, latentDim, ropeDim] of [
    [0, 32, 32],
    [1, 32, 32],
    [3, 64, 32],
    [5, 512, 64],
  ]) {
    const shape = [count, latentDim, ropeDim];
    const latents = Array.from({ length: count }, () => gaussian(latentDim, random));
    const kPes = Array.from({ length: count }, () => gaussian(ropeDim, random));
    const rows = (write: (latent: Float32Array, kPe: Float32Array) => Uint8Array): Uint8Array =>
      concat(...latents.map((latent, i) => write(latent, kPes[i])));
    const expectRows = (
      load: LoadLatent,
      bytes: Uint8Array,
      value: (x: Float32Array) => Iterable<number>,
    ): void => {
      const actual = loadRows(load, bytes, shape, 4);
      assert.equal(
        [...actual.latents],
        latents.flatMap((x) => [...value(x)]),
      );
      assert.equal(
        [...actual.kPes],
        kPes.flatMap((x) => [...value(x)]),
      );
    };
    expectRows(
      kernels.loadLatentF32,
      rows((latent, kPe) => concat(bytesOf(latent), bytesOf(kPe))),
      (x) => x,
    );
    expectRows(
      kernels.loadLatentF16,
      rows((latent, kPe) => concat(bytesOf(f16Bits(latent)), bytesOf(f16Bits(kPe)))),
      (x) => Array.from(f16Bits(x), referenceF16Value),
    );
    expectRows(kernels.loadLatentI16, rows(referenceI16Row), (x) => {
      const row = referenceI16Row(x, new Float32Array(0));
      const scale = new Float32Array(row.buffer, 0, 1)[0];
      return Float32Array.from(new Int16Array(row.buffer, 16), (q) => q * scale);
    });
    expectRows(
      kernels.loadLatentQ8_0,
      rows((latent, kPe) => concat(referenceQ8_0(latent), referenceQ8_0(kPe))),
      (x) => referenceQ8_0Values(referenceQ8_0(x)),
    );
  }
});

test("all 65,536 halves become their value and turn back into themselves", () => {
  const halves = Uint16Array.from({ length: 65536 }, (_, i) => i);
  const { latents } = loadRows(kernels.loadLatentF16, bytesOf(halves), [1, 65536, 0]);
  for (let i = 0; i < 65536; i++) {
    assert.ok(Object.is(latents[i], referenceF16Value(i)), `value of half ${i}`);
  }
  const row = storeRow(kernels.storeLatentF16, 131072, latents, new Float32Array(0));
  const again = new Uint16Array(row.buffer);
  for (let i = 0; i < 65536; i++) {
    if (Number.isNaN(latents[i])) assert.ok(Number.isNaN(referenceF16Value(again[i])));
    else assert.is(again[i], i);
  }
});

test("f16 rounds any float to the nearest, ties to even", () => {
  const random = seededRandom(11);
  // Every other midpoint between neighbours and the floats on both sides of it, then any bits.
  const values: number[] = [0, -0, 65519.996, 65520, 65536, 1e38, -Infinity, 5e-8, 2 ** -25, 1e-45];
  for (let i = 0; i < 0x7bff; i++) {
    const middle = (referenceF16Value(i) + referenceF16Value(i + 1)) / 2;
    values.push(middle, middle * (1 + 2 ** -23), -middle * (1 - 2 ** -23));
  }
  const bits = Uint32Array.from({ length: 100000 }, () => random() * 2 ** 32);
  const x = new Float32Array(Math.ceil((values.length + bits.length) / 8) * 8);
  x.set(values);
  x.set(new Float32Array(bits.buffer), values.length);
  const row = storeRow(kernels.storeLatentF16, x.length * 2, x, new Float32Array(0));
  const expected = Array.from(x, (value) => referenceF16Value(referenceF16Bits(value)));
  new Uint16Array(row.buffer).forEach((half, i) => {
    assert.ok(Object.is(referenceF16Value(half), expected[i]), `${x[i]} became half ${half}`);
  });
});

test("halves round to even in i16 rows and away from zero in q8_0 blocks", () => {
  const x = new Float32Array(32);
  x.set([8191, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.49999997]);
  const i16 = storeRow(kernels.storeLatentI16, 80, x, new Float32Array(0));
  assert.equal([...new Int16Array(i16.buffer, 16, 8)], [8191, 0, 2, 2, 0, -2, -2, 0]);
  x[0] = 127;
  const q8 = storeRow(kernels.storeLatentQ8_0, 34, x, new Float32Array(0));
  assert.equal([...new Int8Array(q8.buffer, 2, 8)], [127, 1, 2, 3, -1, -2, -3, 0]);
});

test("zero, tiny, huge and NaN parts", () => {
  const none = new Float32Array(0);
  const i16 = (x: Float32Array): number[] => {
    const row = storeRow(kernels.storeLatentI16, 16 + 2 * x.length, x, none);
    return [...loadRows(kernels.loadLatentI16, row, [1, x.length, 0]).latents];
  };
  const q8 = (x: Float32Array): number[] => {
    const row = storeRow(kernels.storeLatentQ8_0, (34 * x.length) / 32, x, none);
    return [...loadRows(kernels.loadLatentQ8_0, row, [1, x.length, 0]).latents];
  };
  for (const tiny of [0, 1e-45, 1e-40, 5e-31]) {
    assert.equal(i16(new Float32Array(32).fill(tiny)), Array(32).fill(0));
    assert.equal(q8(new Float32Array(32).fill(-tiny)), Array(32).fill(0));
  }
  for (const value of [1e-30, 3e38, -3e38]) {
    for (const loaded of i16(new Float32Array(32).fill(value))) {
      assert.ok(Math.abs(loaded / value - 1) < 2 ** -22, `${value} became ${loaded}`);
    }
  }
  for (const bad of [NaN, Infinity]) {
    const x = new Float32Array(32).fill(1);
    x[5] = bad;
    assert.ok(i16(x).every(Number.isNaN));
    assert.ok(Number.isNaN(q8(x)[5]));
  }
});

test.run();
