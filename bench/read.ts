/** Plain reads of memory: the rate that products with weights from DRAM are compared with. */
import * as assert from "uvu/assert";
import { type Case, cycle, type Home } from "./workspace.js";

/** Reads `bytes` at a time: always the same ones, or cycling through the pool. */
function readCase(bytes: number, home: Home): Case {
  return {
    name: `readBytes ${bytes / 2 ** 10} KiB, ${home}`,
    amount: bytes,
    unit: "B",
    dramBytes: home === "DRAM" ? bytes : undefined,
    prepare({ bench, poolPtr, poolBytes }) {
      const words = new Int32Array(bench.memory.buffer, poolPtr, poolBytes / 4);
      for (let i = 0; i < words.length; i++) words[i] = Math.imul(i, 0x9e3779b1);
      const pieces = home === "DRAM" ? Math.floor(poolBytes / bytes) : 1;
      const next = cycle(Array.from({ length: pieces }, (_, i) => poolPtr + i * bytes));
      return {
        run: () => bench.kernels.readBytes(next(), bytes),
        check() {
          const sum = words.subarray(0, bytes / 4).reduce((total, word) => (total + word) | 0, 0);
          assert.is(bench.kernels.readBytes(poolPtr, bytes), sum, "sum of the words");
        },
      };
    },
  };
}

/** All plain reads; the first is from DRAM. */
export const READ_CASES: readonly Case[] = [readCase(2 ** 24, "DRAM"), readCase(2 ** 18, "cache")];
