/** Products for the decode rows of several sequences, by the kernels that can compute them. */
import type { TensorType } from "../src/format/dtypes.js";
import { i16RowBytes, packedBytes } from "../src/kernels/packed.js";
import { PACKED_TYPE_OF } from "../src/model/weights.js";
import { activationsAs } from "../test/kernels/support/activations.js";
import { packedId, putShape } from "../test/kernels/support/packing.js";
import { gaussian, seededRandom } from "../test/support/random.js";
import { matmulCase } from "./linear.js";
import { checkProduct, type Matrix, placePanels, UP_PROJ } from "./weights.js";
import { type Case, cycle, type Home } from "./workspace.js";

/** A matrix that the second-level cache holds. */
const SMALL: Matrix = { name: "small", rows: 256, cols: 2048 };

type Form = "I16" | "S8X2";

interface RowsCase {
  readonly form: Form;
  readonly type: TensorType;
  readonly matrix: Matrix;
  readonly n: number;
  readonly home: Home;
}

/** One product of all rows, or a matvec for each of them. */
function rowsCase(kernel: "matvecRows" | "matvec", item: RowsCase): Case {
  const { form, type, matrix, n, home } = item;
  const { name, rows, cols } = matrix;
  const packed = PACKED_TYPE_OF[type];
  const calls = kernel === "matvec" ? `, ${n} calls` : "";
  const size = `${rows}x${cols}, ${n === 1 ? "1 row" : `${n} rows`}`;
  return {
    name: `${kernel}${form} ${packed} ${name} ${size}${calls}, ${home}`,
    amount: n * rows * cols,
    unit: "MAC",
    dramBytes:
      home === "DRAM" && kernel === "matvecRows" ? packedBytes(packed, rows, cols) : undefined,
    isRelaxed: form !== "I16",
    prepare(workspace) {
      const { bench } = workspace;
      const w = placePanels(workspace, type, matrix, home);
      const x = gaussian(n * cols, seededRandom(6));
      const activations = activationsAs(bench, form, x, n);
      const yPtr = bench.region(n * rows * 4);
      const shapePtr = putShape(bench, { n, rows, cols });
      const next = cycle(w.addresses);
      const { ptr } = activations;
      const id = packedId(type);
      const { kernels } = bench;
      const matvec = form === "I16" ? kernels.matvecI16 : bench.relaxed.matvecS8X2;
      const matvecRows = form === "I16" ? kernels.matvecRowsI16 : bench.relaxed.matvecRowsS8X2;
      const callForEach = (): void => {
        const address = next();
        for (let t = 0; t < n; t++) {
          matvec(yPtr + t * rows * 4, address, id, ptr + t * i16RowBytes(cols), rows, cols);
        }
      };
      const run =
        kernel === "matvec" ? callForEach : () => matvecRows(yPtr, next(), id, ptr, shapePtr);
      return {
        run,
        check() {
          run();
          checkProduct(bench.f32(yPtr, n * rows), w.tensor, { x, n, activations });
        },
      };
    },
  };
}

/** The rows' product, a matvec for each row, and prefill's product. */
function threeWays(item: RowsCase): Case[] {
  const { form, type, matrix, n, home } = item;
  return [
    ...[rowsCase("matvecRows", item), rowsCase("matvec", item)],
    matmulCase(type, matrix, n, home, form === "I16" ? "I16" : 2),
  ];
}

/** All cases of decode rows. */
export const ROWS_CASES: readonly Case[] = (["I16", "S8X2"] as const).flatMap((form) =>
  [1, 2, 4, 8, 16].flatMap((n) => [
    ...threeWays({ form, type: "Q8_0", matrix: UP_PROJ, n, home: "DRAM" }),
    ...threeWays({ form, type: "Q8_0", matrix: UP_PROJ, n, home: "cache" }),
    ...threeWays({ form, type: "Q8_0", matrix: SMALL, n, home: "cache" }),
    ...threeWays({ form, type: "Q4_0", matrix: SMALL, n, home: "cache" }),
  ]),
);
