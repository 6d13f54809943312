/** The choice of kernels under different clocks. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { chooseKernels, type KernelChoice } from "../../src/kernels/choose-kernels.js";
import type { Kernels } from "../../src/kernels/kernels.js";
import type { PackedTypeName } from "../../src/kernels/packed.js";

const clock = performance.now.bind(performance);

/** Kernels that do nothing for a number of microseconds. */
function kernelsOf(microseconds: Readonly<Record<string, number>>): Kernels {
  const spend = (name: string): void => {
    const endMs = clock() + (microseconds[name] ?? 0) / 1000;
    while (clock() < endMs);
  };
  return new Proxy({} as Kernels, {
    has: (_, name) => name === "probeDot" && "matvecS8X2" in microseconds,
    get: (_, name) => () => spend(String(name)),
  });
}

/** The choice for a type under another clock. */
function chosen(kernels: Kernels, type: PackedTypeName, now: () => number): KernelChoice {
  const memory = new WebAssembly.Memory({ initial: 64 });
  return chooseKernels(kernels, memory, 65536, new Set([type]), { decided: new Map(), now });
}

const RELAXED_FASTER = { matvecI16: 40, matvecS8X2: 4, matmulI16: 200, matmulPlanes: 20 };
const RELAXED_SLOWER = { matvecI16: 4, matvecS8X2: 40, matmulI16: 20, matmulPlanes: 200 };

test("clocks of any step show which kernels are faster", () => {
  for (const stepMs of [0, 0.005, 0.1]) {
    const now = stepMs === 0 ? clock : () => Math.floor(clock() / stepMs) * stepMs;
    const { matvec, matmul, rates } = chosen(kernelsOf(RELAXED_FASTER), "Q8", now);
    assert.equal([matvec.Q8, matmul.Q8], ["S8X2", [1, 2]], `steps of ${stepMs} ms`);
    const { exact, twoPlanes = 0 } = rates.Q8!;
    assert.ok(twoPlanes > exact && Number.isFinite(twoPlanes));
    const slower = chosen(kernelsOf(RELAXED_SLOWER), "Q8", now);
    assert.equal([slower.matvec.Q8, slower.matmul.Q8], ["I16", []], `steps of ${stepMs} ms`);
  }
});

test("without the relaxed dot, one plane is used where it is clearly faster", () => {
  const choose = (matmulPlanes: number, now = clock): KernelChoice =>
    chosen(kernelsOf({ matmulI16: 100, matmulPlanes }), "Q8", now);
  const { matvec, matmul, rates } = choose(50);
  assert.equal([matvec.Q8, matmul.Q8, rates.Q8?.twoPlanes], ["I16", [1], undefined]);
  assert.ok(rates.Q8!.onePlane > rates.Q8!.exact);
  assert.equal(choose(95).matmul.Q8, []);
  assert.equal(choose(150).matmul.Q8, []);
  assert.equal(choose(50, () => 5).matmul.Q8, []);
});

test("under a clock that stands still the relaxed kernels are chosen, without timings", () => {
  const { matvec, matmul, rates } = chosen(kernelsOf(RELAXED_SLOWER), "Q8", () => 5);
  assert.equal([matvec.Q8, matmul.Q8, rates.Q8], ["S8X2", [1, 2], undefined]);
});

test("clocks that stop, jump or go back during timing still lead to a choice", () => {
  const kernels = kernelsOf({ matvecS8X2: 0 });
  for (const looks of [2, 3, 10, 40, 400]) {
    let look = 0;
    const stopping = (): number => Math.min(++look, looks);
    assert.ok(chosen(kernels, "Q8", stopping).matvec.Q8, `stops after ${looks} looks`);
    let time = 0;
    const jumping = (): number => (time += ++look % looks === 0 ? -1e9 : 1e6);
    assert.ok(chosen(kernels, "Q8", jumping).matvec.Q8, `jumps every ${looks} looks`);
  }
});

test.run();
