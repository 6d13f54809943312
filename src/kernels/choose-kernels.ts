/** Chooses the kernels of each packed type by timing, within the limits of precision. */

import { now as clock } from "../clock.js";
import { isRelaxed, type Kernels, type RelaxedKernels } from "./kernels.js";
import {
  activationBytes,
  isFloatType,
  type MatvecForm,
  PACKED_TYPES,
  type PackedTypeName,
  packedBytes,
  unpackedPanelBytes,
} from "./packed.js";
import { Stopwatch } from "./stopwatch.js";
import { ProductShape } from "./structs.js";

/** The chosen kernels, as plain data for all threads. */
export interface KernelChoice {
  /** In decode: the form of a token's activations. */
  readonly matvec: Readonly<Partial<Record<PackedTypeName, MatvecForm>>>;
  /** In prefill: the numbers of planes whose kernel is not slower than the exact one in i16. */
  readonly matmul: Readonly<Partial<Record<PackedTypeName, readonly (1 | 2)[]>>>;
  /** The rates behind the choice for prefill; none for a type without a choice. */
  readonly rates: Readonly<Partial<Record<PackedTypeName, MatmulRates>>>;
}

/** 1e9 multiplications a second of one thread, operands in its cache. */
export interface MatmulRates {
  /** Activations in i16. */
  readonly exact: number;
  readonly onePlane: number;
  /** Only with the relaxed dot. */
  readonly twoPlanes?: number;
}

/** The size of the timed product, which stays in the second-level cache. */
const ROWS = 64;
const COLS = 1024;
const TOKENS = 16;

/**
 * The relaxed kernels are used unless the others are faster by this factor. The choice must not
 * change from one run of a program to the next, since the kernels' last digits differ; and on a
 * busy machine the engine's optimizing compiler may be late for one of them.
 */
const CLEARLY = 2.5;

/**
 * Without the relaxed dot, one plane is used only where it is faster by this factor: about twice on
 * Arm, never on x86, where it takes longer than 16 bits.
 */
const WORTH_ROUNDING = 1.3;

/** A packed scale of 2^-10 in every byte pair: no product overflows. */
const SCALE_BYTE = 0x24;

/** Bytes of memory that timing works in. */
export const TIMING_BYTES: number =
  packedBytes("Q8K", ROWS, COLS) +
  TOKENS * COLS * 4 +
  3 * activationBytes(TOKENS, COLS) +
  TOKENS * ROWS * 4 +
  unpackedPanelBytes(COLS) +
  64;

/** Earlier decisions, by variant and type: engine and CPU stay the same while a program runs. */
const DECIDED = new Map<string, Decision>();

/** The decision for one type. */
export interface Decision {
  readonly matvec: MatvecForm;
  readonly matmul: readonly (1 | 2)[];
  readonly rates?: MatmulRates;
}

/** Replaces the runtime's clock and earlier decisions. */
export interface ChoosingOptions {
  /** Earlier decisions, which are not timed again. */
  decided?: Map<string, Decision>;
  /** Milliseconds from any start. */
  now?: () => number;
}

/**
 * Times the candidates for each of the types, a few milliseconds each, in TIMING_BYTES of memory at
 * scratchPtr. A CPU's relaxed dot may be one instruction or three, and no flag says which; nor
 * whether it multiplies bytes faster than 16 bits without that.
 */
export function chooseKernels(
  kernels: Kernels,
  memory: WebAssembly.Memory,
  scratchPtr: number,
  types: ReadonlySet<PackedTypeName>,
  { decided = DECIDED, now = clock }: ChoosingOptions = {},
): KernelChoice {
  const stopwatch = new Stopwatch(now);
  const decisions = new Map<PackedTypeName, Decision>();
  for (const type of types) {
    if (isFloatType(type)) continue;
    const key = `${isRelaxed(kernels) ? "relaxed" : "simd"} ${type}` as const;
    const best = decided.get(key) ?? new Trial(kernels, memory, scratchPtr, type).decide(stopwatch);
    decided.set(key, best);
    decisions.set(type, best);
  }
  return collect(decisions);
}

/** The kernels that nearly always win, where timing them would take longer than they save. */
export function presumeKernels(kernels: Kernels, types: ReadonlySet<PackedTypeName>): KernelChoice {
  if (!isRelaxed(kernels)) return collect(new Map());
  const integer = [...types].filter((type) => !isFloatType(type));
  return collect(new Map(integer.map((type) => [type, presumed(type)])));
}

/** The relaxed kernels of a type. */
function presumed(type: PackedTypeName): Decision {
  return { matvec: PACKED_TYPES[type].matvec.length > 1 ? "S8X2" : "I16", matmul: [1, 2] };
}

/** Decisions as a choice. */
function collect(decisions: ReadonlyMap<PackedTypeName, Decision>): KernelChoice {
  const choice: { [K in keyof KernelChoice]: Record<string, KernelChoice[K][PackedTypeName]> } = {
    matvec: {},
    matmul: {},
    rates: {},
  };
  for (const [type, { matvec, matmul, rates }] of decisions) {
    choice.matvec[type] = matvec;
    choice.matmul[type] = matmul;
    if (rates) choice.rates[type] = rates;
  }
  return choice as KernelChoice;
}

/** One type's candidates over made-up operands. */
class Trial {
  readonly #kernels: Kernels;
  readonly #type: PackedTypeName;
  readonly #wPtr: number;
  readonly #xPtr: number;
  /** One place for each candidate. */
  readonly #activationPtrs: readonly number[];
  readonly #yPtr: number;
  readonly #scratchPtr: number;
  readonly #shape: ProductShape;

  constructor(kernels: Kernels, memory: WebAssembly.Memory, basePtr: number, type: PackedTypeName) {
    this.#kernels = kernels;
    this.#type = type;
    const wBytes = packedBytes(type, ROWS, COLS);
    this.#shape = new ProductShape(memory, basePtr);
    this.#wPtr = basePtr + 64;
    this.#xPtr = this.#wPtr + wBytes;
    const activationPtr = this.#xPtr + TOKENS * COLS * 4;
    const bytes = activationBytes(TOKENS, COLS);
    this.#activationPtrs = [0, 1, 2].map((i) => activationPtr + i * bytes);
    this.#yPtr = activationPtr + 3 * bytes;
    this.#scratchPtr = this.#yPtr + TOKENS * ROWS * 4;
    new Uint8Array(memory.buffer, this.#wPtr, wBytes).fill(SCALE_BYTE);
    new Float32Array(memory.buffer, this.#xPtr, TOKENS * COLS).fill(1);
  }

  decide(stopwatch: Stopwatch): Decision {
    const kernels = this.#kernels;
    return isRelaxed(kernels) ? this.#decideRelaxed(kernels, stopwatch) : this.#decide(stopwatch);
  }

  /** Without the relaxed dot. */
  #decide(stopwatch: Stopwatch): Decision {
    const times = stopwatch.race([this.#matmul(0), this.#matmul(1)]);
    if (times === undefined) return { matvec: "I16", matmul: [] };
    const [exact, one] = times;
    const rates = { exact: rateOf(exact), onePlane: rateOf(one) };
    return { matvec: "I16", matmul: one * WORTH_ROUNDING < exact ? [1] : [], rates };
  }

  #decideRelaxed(kernels: RelaxedKernels, stopwatch: Stopwatch): Decision {
    const otherwise = presumed(this.#type);
    const matvec = otherwise.matvec === "I16" ? "I16" : this.#decideMatvec(kernels, stopwatch);
    const times = stopwatch.race([this.#matmul(0), this.#matmul(1), this.#matmul(2)]);
    if (times === undefined) return { ...otherwise, matvec };
    const [exact, one, two] = times;
    const faster = ([1, 2] as const).filter((n) => (n === 1 ? one : two) < exact * CLEARLY);
    const rates = { exact: rateOf(exact), onePlane: rateOf(one), twoPlanes: rateOf(two) };
    return { matvec, matmul: faster, rates };
  }

  #decideMatvec(kernels: RelaxedKernels, stopwatch: Stopwatch): MatvecForm {
    const times = stopwatch.race([this.#matvec(kernels, "I16"), this.#matvec(kernels, "S8X2")]);
    return times === undefined || times[1] < times[0] * CLEARLY ? "S8X2" : "I16";
  }

  #matvec(kernels: RelaxedKernels, form: MatvecForm): () => void {
    const { quantizeI16, quantizeS8X2, matvecI16, matvecS8X2 } = kernels;
    const { id } = PACKED_TYPES[this.#type];
    const [y, w, x] = [this.#yPtr, this.#wPtr, this.#activationPtrs[form === "I16" ? 0 : 1]];
    (form === "I16" ? quantizeI16 : quantizeS8X2)(x, this.#xPtr, 1, COLS);
    const matvec = form === "I16" ? matvecI16 : matvecS8X2;
    return () => matvec(y, w, id, x, ROWS, COLS);
  }

  /** With 0 planes: the exact kernel. */
  #matmul(planes: 0 | 1 | 2): () => void {
    const { quantizeI16, quantizePlanes, matmulI16, matmulPlanes } = this.#kernels;
    const { id } = PACKED_TYPES[this.#type];
    const [y, w, x] = [this.#yPtr, this.#wPtr, this.#activationPtrs[planes]];
    if (planes === 0) quantizeI16(x, this.#xPtr, TOKENS, COLS);
    else quantizePlanes(x, this.#xPtr, TOKENS, COLS, planes);
    const matmul = planes === 0 ? matmulI16 : matmulPlanes;
    return () => {
      this.#shape.write({ n: TOKENS, rows: ROWS, cols: COLS, stride: ROWS, planes });
      matmul(y, w, id, x, this.#shape.ptr, this.#scratchPtr);
    };
  }
}

/** The rate of the timed product. */
function rateOf(ms: number): number {
  return (TOKENS * ROWS * COLS) / ms / 1e6;
}
