/** Cases of the absorbed query of latent attention, over the keys of one layer of PLM-1.8B. */
import * as assert from "uvu/assert";
import type { TensorType } from "../src/format/dtypes.js";
import { absorbedBytes, absorbScratchBytes } from "../src/kernels/packed.js";
import { PACKED_TYPE_OF } from "../src/model/weights.js";
import { packAbsorbed } from "../test/kernels/support/absorbing.js";
import { referenceMatmul, transpose } from "../test/kernels/support/linear-reference.js";
import { packedId } from "../test/kernels/support/packing.js";
import { randomTensor } from "../test/kernels/support/tensors.js";
import { relativeRms } from "../test/support/close.js";
import { gaussian, seededRandom } from "../test/support/random.js";
import { type Case, cycle, type Home } from "./workspace.js";

const HEADS = 16;
const ROWS = 128;
const COLS = 512;

/** W_uk[h]^T q_nope for every head; all heads have the same keys. */
function absorbCase(form: "I16" | "S8X2", type: TensorType, home: Home): Case {
  const packed = PACKED_TYPE_OF[type];
  const headBytes = absorbedBytes(packed, ROWS, COLS);
  return {
    name: `absorb${form} ${packed} ${ROWS}x${COLS}, ${HEADS} heads, ${home}`,
    amount: HEADS * ROWS * COLS,
    unit: "MAC",
    dramBytes: home === "DRAM" ? HEADS * headBytes : undefined,
    isRelaxed: form === "S8X2",
    prepare(workspace) {
      const { bench } = workspace;
      const tensor = randomTensor({ type, rows: ROWS, cols: COLS }, seededRandom(COLS));
      const keysPtr = packAbsorbed(bench, tensor);
      const next = cycle(workspace.place(keysPtr, headBytes, HEADS * headBytes, home));
      const x = gaussian(HEADS * ROWS, seededRandom(5));
      const [xPtr, yPtr] = [bench.put(x), bench.region(HEADS * COLS * 4)];
      const scratchPtr = bench.region(absorbScratchBytes(ROWS, COLS));
      const absorb = form === "I16" ? bench.kernels.absorbI16 : bench.relaxed.absorbS8X2;
      const id = packedId(type);
      const run = (): void => {
        const wPtr = next();
        for (let h = 0; h < HEADS; h++) {
          const [y, q] = [yPtr + h * COLS * 4, xPtr + h * ROWS * 4];
          absorb(y, wPtr + h * headBytes, id, q, ROWS, COLS, scratchPtr);
        }
      };
      return {
        run,
        check() {
          run();
          const keys = transpose(tensor.values, ROWS, COLS);
          for (let h = 0; h < HEADS; h++) {
            const q = x.subarray(h * ROWS, (h + 1) * ROWS);
            const { y } = referenceMatmul(keys, q, { n: 1, rows: COLS, cols: ROWS });
            // Products are rounded to 16 bits of the largest of 32 rows, as in the kernel's test.
            const rms = relativeRms(bench.f32(yPtr + h * COLS * 4, COLS), y);
            assert.ok(rms <= 2e-4, `head ${h}: relative rms error ${rms}`);
          }
        },
      };
    },
  };
}

/** All cases of the absorbed query. */
export const ABSORBED_CASES: readonly Case[] = [
  ...(["I16", "S8X2"] as const).flatMap((form) => [
    absorbCase(form, "Q8_0", "DRAM"),
    absorbCase(form, "Q4_K", "DRAM"),
    absorbCase(form, "Q8_0", "cache"),
  ]),
];
