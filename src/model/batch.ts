/**
 * What one forward pass takes in: a few words, the tokens and the sequences' tables of pages, in
 * memory, written by the thread of the caller and read by all.
 */
import { pagesOf } from "../cache/pages.js";
import type { CacheSequence } from "../cache/sequence.js";
import type { MemoryPlan } from "../kernels/arena.js";

/**
 * What tokens are evaluated for: `prefill` takes them in, in a precision that is a matter of speed;
 * `decode` is exact. The caller says which, and the number of tokens changes neither.
 */
export type Phase = "prefill" | "decode";

/** The phases. */
export const PHASES: readonly Phase[] = ["prefill", "decode"];

const FORMS = ["absorbed", "expanded"] as const;
const KINDS = ["logits", "hidden"] as const;

/** Consecutive tokens of one sequence. */
export interface Segment {
  /** Its first row in the batch, and how many it has. */
  readonly first: number;
  readonly n: number;
  /** Position of the first token: rows that the sequence has in the cache already. */
  readonly position: number;
  readonly phase: Phase;
  readonly form: (typeof FORMS)[number];
  /** u32[layers, pagesStride]: the addresses of the sequence's pages. */
  readonly pagesPtr: number;
}

/** What is wanted of some of a batch's rows. */
export interface Outputs {
  /** Logits, or the residual stream after the last norm. */
  readonly kind: (typeof KINDS)[number];
  /** In which precision logits are computed. */
  readonly phase: Phase;
  /** Rows of the batch. */
  readonly rows: ArrayLike<number>;
}

/** Tokens that go through the model together. */
export interface Batch {
  readonly segments: readonly Segment[];
  readonly outputs: Outputs;
}

/** The words before those of outputs' rows, tokens and pages. */
const WORDS = 16;

/** How much a batch may hold. */
export interface BatchSizes {
  readonly layers: number;
  readonly batchSize: number;
  readonly contextLength: number;
}

/** Where batches lie. */
export interface BatchPlan extends BatchSizes {
  readonly ptr: number;
}

/** Words from one layer's table of pages to the next's. */
export function pagesStride({ contextLength }: BatchSizes): number {
  return pagesOf(contextLength);
}

/** Plans room for a batch. */
export function planBatch(plan: MemoryPlan, sizes: BatchSizes): BatchPlan {
  const { layers, batchSize } = sizes;
  const words = WORDS + 2 * batchSize + layers * pagesStride(sizes);
  return { ...sizes, ptr: plan.add("scratch", "batch", words * 4) };
}

/** A sequence's next tokens, before they have a place in memory. */
export interface NextTokens extends Pick<Segment, "phase" | "form"> {
  readonly tokens: ArrayLike<number>;
  readonly sequence: CacheSequence;
}

/** The batch in memory. */
export class BatchBoard {
  /** u32[batchSize]: the tokens' ids. */
  readonly tokens: Uint32Array;
  readonly #plan: BatchPlan;
  readonly #words: Int32Array;
  readonly #rows: Uint32Array;
  /** u32[layers, pagesStride] */
  readonly #pages: Uint32Array;

  constructor(memory: WebAssembly.Memory, plan: BatchPlan) {
    const { ptr, batchSize, layers } = plan;
    const rowsPtr = ptr + WORDS * 4;
    const pages = layers * pagesStride(plan);
    this.#plan = plan;
    this.#words = new Int32Array(memory.buffer, ptr, WORDS);
    this.#rows = new Uint32Array(memory.buffer, rowsPtr, batchSize);
    this.tokens = new Uint32Array(memory.buffer, rowsPtr + batchSize * 4, batchSize);
    this.#pages = new Uint32Array(memory.buffer, rowsPtr + batchSize * 8, pages);
  }

  /** Writes a batch of one segment: a sequence's next tokens, whose rows have their room. */
  write({ tokens, sequence, phase, form }: NextTokens, outputs: Outputs): Batch {
    const { length } = tokens;
    this.tokens.set(tokens);
    this.#rows.set(outputs.rows);
    sequence.writeTables(this.#pages, pagesStride(this.#plan));
    this.#words.set([length, sequence.length, PHASES.indexOf(phase), FORMS.indexOf(form)]);
    const kind = KINDS.indexOf(outputs.kind);
    this.#words.set([outputs.rows.length, kind, PHASES.indexOf(outputs.phase)], 4);
    return this.read();
  }

  /** The batch that was written last. */
  read(): Batch {
    const [n, position, phase, form, count, kind, outputPhase] = this.#words;
    const segment = {
      ...{ first: 0, n, position, phase: PHASES[phase], form: FORMS[form] },
      pagesPtr: this.#pages.byteOffset,
    };
    const rows = this.#rows.subarray(0, count);
    return {
      segments: [segment],
      outputs: { kind: KINDS[kind], phase: PHASES[outputPhase], rows },
    };
  }

  /** Address of u32[pagesStride]: a layer's pages of a segment. */
  layerPages({ pagesPtr }: Segment, layer: number): number {
    return pagesPtr + layer * pagesStride(this.#plan) * 4;
  }

  /** Address of the page that holds a position of a segment's sequence. */
  page({ pagesPtr }: Segment, layer: number, index: number): number {
    const first = (pagesPtr - this.#pages.byteOffset) / 4;
    return this.#pages[first + layer * pagesStride(this.#plan) + index];
  }
}
