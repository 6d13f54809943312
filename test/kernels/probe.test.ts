import { test } from "uvu";
import * as assert from "uvu/assert";
import { kernelImports } from "../../src/kernels/imports.js";
import type { RelaxedKernels } from "../../src/kernels/kernels.js";
import { kernelsBytes, loadKernels } from "../../src/kernels/load.js";
import { type DotReading, probeRelaxedDot } from "../../src/kernels/probe.js";

const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });

/** Four lanes of i32x4.relaxed_dot_i8x16_i7x16_add_s, one of four products each. */
type Dot = (a: Int8Array, b: Uint8Array) => number;

const s16 = (value: number): number => Math.max(-32768, Math.min(32767, value));

/** The readings that the specification allows, and one that it forbids. */
const DOTS: Record<DotReading, Dot> = {
  u8: (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3],
  s8: (a, b) => {
    const s = Int8Array.from(b);
    return a[0] * s[0] + a[1] * s[1] + a[2] * s[2] + a[3] * s[3];
  },
  saturating: (a, b) => s16(a[0] * b[0] + a[1] * b[1]) + s16(a[2] * b[2] + a[3] * b[3]),
  wrong: (a, b) => a[0] * b[0] + a[1] * b[1],
};

/** Kernels with a probeDot made of a dot. */
function kernelsOf(dot: Dot): RelaxedKernels {
  const probeDot = (toPtr: number, aPtr: number, bPtr: number): void => {
    const to = new Int32Array(memory.buffer, toPtr, 4);
    for (let lane = 0; lane < 4; lane++) {
      const a = new Int8Array(memory.buffer, aPtr + 4 * lane, 4);
      to[lane] += dot(a, new Uint8Array(memory.buffer, bPtr + 4 * lane, 4));
    }
  };
  return { probeDot } as Partial<RelaxedKernels> as RelaxedKernels;
}

for (const [reading, dot] of Object.entries(DOTS)) {
  test(`the probe recognises a dot that is ${reading}`, () => {
    assert.is(probeRelaxedDot(kernelsOf(dot), memory, 1024), reading);
  });
}

test("one wrong lane is detected", () => {
  const { probeDot } = kernelsOf(DOTS.u8);
  for (let lane = 0; lane < 4; lane++) {
    const broken = (toPtr: number, aPtr: number, bPtr: number): void => {
      probeDot(toPtr, aPtr, bPtr);
      new Int32Array(memory.buffer, toPtr, 4)[lane]++;
    };
    const kernels = { probeDot: broken } as Partial<RelaxedKernels> as RelaxedKernels;
    assert.is(probeRelaxedDot(kernels, memory, 0), "wrong");
  }
});

test("a dot that ignores the accumulator is wrong", () => {
  const kernels = {
    probeDot: (toPtr: number) => new Int32Array(memory.buffer, toPtr, 4).fill(0),
  } as unknown as RelaxedKernels;
  assert.is(probeRelaxedDot(kernels, memory, 0), "wrong");
});

test("the probe writes only to its 48 bytes", () => {
  const bytes = new Uint8Array(memory.buffer).fill(0xa5);
  probeRelaxedDot(kernelsOf(DOTS.u8), memory, 4096);
  bytes.fill(0xa5, 4096, 4096 + 48);
  assert.ok(bytes.every((byte) => byte === 0xa5));
});

test("a dot that wraps sums of two products is s8", () => {
  const wrapped = (value: number): number => (value << 16) >> 16;
  const dot: Dot = (a, b) => {
    const s = Int8Array.from(b);
    return wrapped(a[0] * s[0] + a[1] * s[1]) + wrapped(a[2] * s[2] + a[3] * s[3]);
  };
  assert.is(probeRelaxedDot(kernelsOf(dot), memory, 1024), "s8");
});

test("this engine's own dot: the relaxed kernels are loaded where it reads u8 or s8", async () => {
  const own = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const relaxed = kernelsBytes("relaxed");
  if (!WebAssembly.validate(relaxed)) {
    assert.is((await loadKernels(own)).variant, "simd");
    console.log("skipped, this runtime has no relaxed SIMD: its own dot");
    return;
  }
  const module = await WebAssembly.compile(relaxed);
  const { exports } = await WebAssembly.instantiate(module, kernelImports(own, "u8"));
  const reading = probeRelaxedDot(exports as unknown as RelaxedKernels, own, 1024);
  assert.ok(["u8", "s8", "saturating"].includes(reading), reading);
  const { variant, reading: used } = await loadKernels(own);
  assert.is(variant, reading === "saturating" ? "simd" : "relaxed");
  if (variant === "relaxed") assert.is(used, reading);
});

test.run();
