/** Which kernel serves which packed type: decided by timing, within what precision allows. */

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
import { ProductShape } from "./structs.js";

/** The kernels that were chosen; plain data, so that every thread has the same. */
export interface KernelChoice {
  /** For one token: the form of its activations. */
  readonly matvec: Readonly<Partial<Record<PackedTypeName, MatvecForm>>>;
  /** For several: the numbers of planes whose kernel is not slower than the exact one in i16. */
  readonly matmul: Readonly<Partial<Record<PackedTypeName, readonly (1 | 2)[]>>>;
  /** What was timed to choose the latter; nothing where there was no choice. */
  readonly rates: Readonly<Partial<Record<PackedTypeName, MatmulRates>>>;
}

/** 1e9 multiplications a second of one thread, operands in its cache. */
export interface MatmulRates {
  /** Activations in i16. */
  readonly exact: number;
  readonly onePlane: number;
  readonly twoPlanes: number;
}

/** The product that is timed: it stays in the second-level cache. */
const ROWS = 64;
const COLS = 1024;
const TOKENS = 16;

/**
 * How long candidates run in turn, at the least: an engine compiles anew what runs often, and what
 * counts is how fast that is. The best time of each counts.
 */
const RACE_MS = 12;

/** And how often: on a busy machine a race has long breaks. */
const LEAST_RUNS = 150;
const LEAST_ROUNDS = 5;

/** More runs than any race needs: the clock has stopped since its step was measured. */
const MOST_RUNS = 1 << 14;

/** What is timed at once takes this many steps of the clock: browsers have steps of 0.1 ms. */
const CLOCK_STEPS = 8;

/** Steps of a clock that are measured. */
const MEASURED_STEPS = 5;

/** Looks at a clock after which it counts as standing still, as it does in some Workers. */
const CLOCK_LOOKS = 100_000;

/**
 * The relaxed kernels serve unless the others are seen to be faster by this. Kernels must not
 * change places from one run of a program to the next, for their last digits differ; and on a busy
 * machine the engine's better compiler may be late for one of them.
 */
const CLEARLY = 2.5;

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

/** What was decided before, by type: an engine and CPU do not change while they run. */
const DECIDED = new Map<PackedTypeName, Decision>();

/** What is decided for one type. */
export interface Decision {
  readonly matvec: MatvecForm;
  readonly matmul: readonly (1 | 2)[];
  readonly rates?: MatmulRates;
}

/** What a choice may be given instead of the runtime's own. */
export interface ChoosingOptions {
  /** What was decided before and is not timed again. */
  decided?: Map<PackedTypeName, Decision>;
  /** Milliseconds from any start. */
  now?: () => number;
}

/**
 * Times the candidates for each of the types, a few milliseconds each, in TIMING_BYTES of memory at
 * scratchPtr. A CPU may have the relaxed dot as one instruction or as three: no flag tells.
 */
export function chooseKernels(
  kernels: Kernels,
  memory: WebAssembly.Memory,
  scratchPtr: number,
  types: ReadonlySet<PackedTypeName>,
  { decided = DECIDED, now = clock }: ChoosingOptions = {},
): KernelChoice {
  const choice: { [K in keyof KernelChoice]: Record<string, KernelChoice[K][PackedTypeName]> } = {
    matvec: {},
    matmul: {},
    rates: {},
  };
  if (!isRelaxed(kernels)) return choice as KernelChoice;
  const stopwatch = new Stopwatch(now);
  for (const type of types) {
    if (isFloatType(type)) continue;
    const best =
      decided.get(type) ?? new Trial(kernels, memory, scratchPtr, type).decide(stopwatch);
    decided.set(type, best);
    choice.matvec[type] = best.matvec;
    choice.matmul[type] = best.matmul;
    if (best.rates) choice.rates[type] = best.rates;
  }
  return choice as KernelChoice;
}

/** Times candidates by a clock, whose steps it measures first. */
class Stopwatch {
  readonly #now: () => number;
  /** Milliseconds between two steps of the clock; undefined where it stands still. */
  readonly #stepMs: number | undefined;

  constructor(now: () => number) {
    this.#now = now;
    this.#stepMs = this.#measureStep();
  }

  /** The shortest of a few steps: on a busy machine some are seen late. */
  #measureStep(): number | undefined {
    let shortestMs = Infinity;
    let lastMs = this.#nextStepAfter(this.#now());
    for (let step = 0; step < MEASURED_STEPS; step++) {
      if (lastMs === undefined) return undefined;
      const nextMs = this.#nextStepAfter(lastMs);
      if (nextMs === undefined) return undefined;
      shortestMs = Math.min(shortestMs, nextMs - lastMs);
      lastMs = nextMs;
    }
    return shortestMs;
  }

  /** When the clock is first seen past a time. */
  #nextStepAfter(ms: number): number | undefined {
    for (let look = 0; look < CLOCK_LOOKS; look++) {
      const nowMs = this.#now();
      if (nowMs > ms) return nowMs;
    }
    return undefined;
  }

  /** Milliseconds of `runs` runs. */
  #timed(run: () => void, runs: number): number {
    const startMs = this.#now();
    for (let i = 0; i < runs; i++) run();
    return this.#now() - startMs;
  }

  /**
   * Milliseconds of each candidate's best run; they run in turn. Undefined without a clock that has
   * steps, and keeps having them.
   */
  race(candidates: readonly (() => void)[]): number[] | undefined {
    if (this.#stepMs === undefined) return undefined;
    const leastMs = CLOCK_STEPS * this.#stepMs;
    let runs = 1;
    while (candidates.some((run) => this.#timed(run, runs) < leastMs)) {
      runs *= 2;
      if (runs > MOST_RUNS) return undefined;
    }
    const best = candidates.map(() => Infinity);
    const endMs = this.#now() + RACE_MS;
    const leastRounds = Math.max(LEAST_ROUNDS, LEAST_RUNS / runs);
    const mostRounds = Math.max(leastRounds, MOST_RUNS / runs);
    for (let i = 0; i < leastRounds || (i < mostRounds && this.#now() < endMs); i++) {
      candidates.forEach((run, candidate) => {
        best[candidate] = Math.min(best[candidate], this.#timed(run, runs) / runs);
      });
    }
    return best.every((ms) => ms > 0) ? best : undefined;
  }
}

/** One type's candidates over made-up operands. */
class Trial {
  readonly #kernels: RelaxedKernels;
  readonly #type: PackedTypeName;
  readonly #wPtr: number;
  readonly #xPtr: number;
  /** One place for each candidate. */
  readonly #activationPtrs: readonly number[];
  readonly #yPtr: number;
  readonly #scratchPtr: number;
  readonly #shape: ProductShape;

  constructor(
    kernels: RelaxedKernels,
    memory: WebAssembly.Memory,
    basePtr: number,
    type: PackedTypeName,
  ) {
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
    const hasChoice = PACKED_TYPES[this.#type].matvec.length > 1;
    const matvec = hasChoice ? this.#decideMatvec(stopwatch) : "I16";
    const times = stopwatch.race([this.#matmul(0), this.#matmul(1), this.#matmul(2)]);
    if (times === undefined) return { matvec, matmul: [1, 2] };
    const [exact, one, two] = times;
    const faster = ([1, 2] as const).filter((n) => (n === 1 ? one : two) < exact * CLEARLY);
    const rate = (ms: number): number => (TOKENS * ROWS * COLS) / ms / 1e6;
    const rates = { exact: rate(exact), onePlane: rate(one), twoPlanes: rate(two) };
    return { matvec, matmul: faster, rates };
  }

  #decideMatvec(stopwatch: Stopwatch): MatvecForm {
    const times = stopwatch.race([this.#matvec("I16"), this.#matvec("S8X2")]);
    return times === undefined || times[1] < times[0] * CLEARLY ? "S8X2" : "I16";
  }

  #matvec(form: MatvecForm): () => void {
    const { quantizeI16, quantizeS8X2, matvecI16, matvecS8X2 } = this.#kernels;
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
