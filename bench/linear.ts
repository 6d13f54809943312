import type { TensorType } from "../src/format/dtypes.js";
import { packedBytes, unpackedPanelBytes } from "../src/kernels/packed.js";
import type { RoundedForm } from "../src/model/linear.js";
import { PACKED_TYPE_OF } from "../src/model/weights.js";
import { activationsAs, formBytes, readRounded } from "../test/kernels/support/activations.js";
import { assertWithin } from "../test/kernels/support/linear-reference.js";
import { isFloat, packedId, putShape } from "../test/kernels/support/packing.js";
import { gaussian, seededRandom } from "../test/support/random.js";
import {
  checkProduct,
  type Matrix,
  placePanels,
  Q_PROJ,
  SOURCE_TYPES,
  UP_PROJ,
} from "./weights.js";
import { type Case, cycle, type Home } from "./workspace.js";

const shapeOf = ({ name, rows, cols }: Matrix): string => `${name} ${rows}x${cols}`;
const tokens = (n: number): string => (n === 1 ? "1 token" : `${n} tokens`);

/** Bytes from DRAM of a case that reads `bytes` of weights. */
const fromHome = (home: Home, bytes: number): number | undefined =>
  home === "DRAM" ? bytes : undefined;

/** A kernel's name, by the form of its activations. */
const nameOf = (kernel: string, form: RoundedForm): string =>
  typeof form === "string" ? `${kernel}${form}` : `${kernel}Planes, ${form} of 8 bits,`;

function quantizeCase(form: RoundedForm, n: number, cols: number): Case {
  return {
    name: `${nameOf("quantize", form)} ${n}x${cols}`,
    amount: n * cols,
    unit: "element",
    isRelaxed: form !== "I16",
    prepare({ bench }) {
      const x = gaussian(n * cols, seededRandom(1));
      const xPtr = bench.put(x);
      const yPtr = bench.region(formBytes(form, n, cols));
      const run = (): void => {
        if (form === "I16") bench.kernels.quantizeI16(yPtr, xPtr, n, cols);
        else if (form === "S8X2") bench.relaxed.quantizeS8X2(yPtr, xPtr, n, cols);
        else bench.relaxed.quantizePlanes(yPtr, xPtr, n, cols, form);
      };
      return {
        run,
        check() {
          run();
          const { integers, scales } = readRounded(bench, form, yPtr, [n, cols]);
          const values = Float64Array.from(integers, (integer, i) => integer * scales[i >> 5]);
          // Half a step, and 2^-8 of one because the inverse of the scale is rounded.
          assertWithin(
            values,
            x,
            (i) => scales[i >> 5] * (0.5 + 2 ** -8),
            nameOf("quantize", form),
          );
        },
      };
    },
  };
}

function matvecCase(
  type: TensorType,
  matrix: Matrix,
  home: Home,
  form: "I16" | "S8X2" = "I16",
): Case {
  const { rows, cols } = matrix;
  const packed = PACKED_TYPE_OF[type];
  return {
    name: `${nameOf("matvec", form)} ${packed} ${shapeOf(matrix)}, ${home}`,
    amount: rows * cols,
    unit: "MAC",
    dramBytes: fromHome(home, packedBytes(packed, rows, cols)),
    isRelaxed: form !== "I16",
    prepare(workspace) {
      const { bench } = workspace;
      const w = placePanels(workspace, type, matrix, home);
      const x = gaussian(cols, seededRandom(2));
      const activations = activationsAs(bench, form, x, 1);
      const yPtr = bench.region(rows * 4);
      const next = cycle(w.addresses);
      const { ptr } = activations;
      const id = packedId(type);
      const run =
        form === "I16"
          ? () => bench.kernels.matvecI16(yPtr, next(), id, ptr, rows, cols)
          : () => bench.relaxed.matvecS8X2(yPtr, next(), id, ptr, rows, cols);
      return {
        run,
        check() {
          run();
          checkProduct(bench.f32(yPtr, rows), w.tensor, { x, n: 1, activations });
        },
      };
    },
  };
}

/** Y = X W^T as prefill computes it. */
export function matmulCase(
  type: TensorType,
  matrix: Matrix,
  n: number,
  home: Home,
  form: "I16" | 1 | 2 = "I16",
): Case {
  const { rows, cols } = matrix;
  const packed = PACKED_TYPE_OF[type];
  const kernel = isFloat(type) ? "matmulF32" : nameOf("matmul", form);
  return {
    name: `${kernel} ${packed} ${shapeOf(matrix)}, ${tokens(n)}, ${home}`,
    amount: n * rows * cols,
    unit: "MAC",
    dramBytes: fromHome(home, packedBytes(packed, rows, cols)),
    isRelaxed: form !== "I16",
    prepare(workspace) {
      const { bench } = workspace;
      const w = placePanels(workspace, type, matrix, home);
      const x = gaussian(n * cols, seededRandom(3));
      const activations = activationsAs(bench, form, x, n);
      const [xPtr, yPtr] = [bench.put(x), bench.region(n * rows * 4)];
      const scratchPtr = bench.region(unpackedPanelBytes(cols));
      const planes = form === "I16" ? undefined : form;
      const shapePtr = putShape(bench, { n, rows, cols, planes });
      const { ptr } = activations;
      const id = packedId(type);
      const next = cycle(w.addresses);
      const run = (): void => {
        if (isFloat(type)) bench.kernels.matmulF32(yPtr, next(), id, xPtr, shapePtr);
        else if (form === "I16") {
          bench.kernels.matmulI16(yPtr, next(), id, ptr, shapePtr, scratchPtr);
        } else bench.relaxed.matmulPlanes(yPtr, next(), id, ptr, shapePtr, scratchPtr);
      };
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

/** The embedding of a token. */
function rowCase(type: TensorType): Case {
  const { cols } = Q_PROJ;
  return {
    name: `dequantizeRow ${PACKED_TYPE_OF[type]} ${cols}`,
    amount: cols,
    unit: "element",
    prepare(workspace) {
      const { bench } = workspace;
      const w = placePanels(workspace, type, Q_PROJ, "cache");
      const yPtr = bench.region(cols * 4);
      const scratchPtr = bench.region(unpackedPanelBytes(cols));
      const id = packedId(type);
      const decode = (row: number): void =>
        bench.kernels.dequantizeRow(yPtr, w.addresses[0], id, row, cols, scratchPtr);
      return {
        run: () => decode(13),
        check() {
          for (const row of [0, 13, w.tensor.rows - 1]) {
            decode(row);
            const [from, to] = [row * cols, (row + 1) * cols];
            const magnitudes = w.tensor.magnitudes.subarray(from, to);
            const expected = w.tensor.values.subarray(from, to);
            // A scale, its product and the minimum round once each.
            assertWithin(bench.f32(yPtr, cols), expected, (i) => 2e-7 * magnitudes[i], "row");
          }
        },
      };
    },
  };
}

/** All dense cases of the linear layers. */
export const LINEAR_CASES: readonly Case[] = [
  ...[quantizeCase("I16", 1, 2048), quantizeCase("I16", 1, 8192), quantizeCase("I16", 128, 2048)],
  ...[quantizeCase("S8X2", 1, 2048), quantizeCase(1, 128, 2048), quantizeCase(2, 128, 2048)],
  ...(["I16", "S8X2"] as const).flatMap((form) => [
    ...[Q_PROJ, UP_PROJ].map((matrix) => matvecCase("Q8_0", matrix, "DRAM", form)),
    ...[Q_PROJ, UP_PROJ].map((matrix) => matvecCase("Q8_0", matrix, "cache", form)),
    ...(["Q4_0", "Q4_K"] as const).map((type) => matvecCase(type, UP_PROJ, "DRAM", form)),
    matvecCase("Q4_0", Q_PROJ, "cache", form),
  ]),
  matvecCase("Q4_1", UP_PROJ, "DRAM"),
  ...SOURCE_TYPES.map((type) => matmulCase(type, UP_PROJ, 1, "DRAM")),
  ...SOURCE_TYPES.map((type) => matmulCase(type, Q_PROJ, 128, "cache")),
  ...([1, 2] as const).flatMap((form) =>
    (["Q8_0", "Q4_0", "Q4_K", "Q6_K"] as const).map((type) =>
      matmulCase(type, Q_PROJ, 128, "cache", form),
    ),
  ),
  matmulCase("F16", Q_PROJ, 1, "DRAM"),
  matmulCase("F16", Q_PROJ, 128, "cache"),
  ...(["Q8_0", "Q4_K", "Q6_K", "F16"] as const).map(rowCase),
];
