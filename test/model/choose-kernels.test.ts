/** The choice of kernels under the clocks that runtimes have. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Kernels } from "../../src/kernels/kernels.js";
import type { PackedTypeName } from "../../src/kernels/packed.js";
import { chooseKernels, type KernelChoice } from "../../src/model/choose-kernels.js";

const clock = performance.now.bind(performance);

/** Kernels that do nothing for so many microseconds. */
function kernelsOf(microseconds: Readonly<Record<string, number>>): Kernels {
  const spend = (name: string): void => {
    const endMs = clock() + (microseconds[name] ?? 0) / 1000;
    while (clock() < endMs);
  };
  return new Proxy({} as Kernels, {
    has: (_, name) => name === "matmulPlanes",
    get: (_, name) => () => spend(String(name)),
  });
}

/** What is chosen for a type while `performance.now` is another clock; each type is timed once. */
function chosen(kernels: Kernels, type: PackedTypeName, now: () => number): KernelChoice {
  performance.now = now;
  try {
    return chooseKernels(kernels, new WebAssembly.Memory({ initial: 64 }), 65536, new Set([type]));
  } finally {
    performance.now = clock;
  }
}

const RELAXED_FASTER = { matvecI16: 40, matvecS8X2: 4, matmulI16: 200, matmulPlanes: 20 };
const RELAXED_SLOWER = { matvecI16: 4, matvecS8X2: 40, matmulI16: 20, matmulPlanes: 200 };

test("clocks of any step tell which kernels are faster", () => {
  const steps: [PackedTypeName, PackedTypeName, number][] = [
    ["Q8", "Q4", 0],
    ["Q8M", "Q4M", 0.005],
    ["Q6K", "Q8K", 0.1],
  ];
  for (const [one, other, stepMs] of steps) {
    const now = stepMs === 0 ? clock : () => Math.floor(clock() / stepMs) * stepMs;
    const faster = chosen(kernelsOf(RELAXED_FASTER), one, now);
    assert.equal(faster.matmul[one], [1, 2], `steps of ${stepMs} ms`);
    const rates = faster.rates[one]!;
    assert.ok(rates.twoPlanes > rates.exact && Number.isFinite(rates.twoPlanes));
    const slower = chosen(kernelsOf(RELAXED_SLOWER), other, now);
    assert.equal(slower.matmul[other], [], `steps of ${stepMs} ms`);
    assert.is(slower.matvec[other], "I16");
  }
});

test("under a clock that stands still the relaxed kernels serve, and nothing was timed", () => {
  const { matvec, matmul, rates } = chosen(kernelsOf(RELAXED_SLOWER), "Q4K", () => 5);
  assert.equal([matvec.Q4K, matmul.Q4K, rates.Q4K], ["S8X2", [1, 2], undefined]);
});

test.run();
