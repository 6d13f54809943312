/**
 * The input of one forward pass: a few words, the tokens and the sequences' page tables, which the
 * caller's thread writes to shared memory and all threads read.
 */
import { pagesOf } from "../cache/pages.js";
import type { CacheSequence } from "../cache/sequence.js";
import type { MemoryPlan } from "../kernels/arena.js";

/**
 * What tokens are evaluated for: `prefill` is fast and rounds as the model's `precision` says,
 * `decode` is exact. Precision and the form of attention follow the phase, not the token count.
 */
export type Phase = "prefill" | "decode";

/** The phases. */
export const PHASES: readonly Phase[] = ["prefill", "decode"];

const FORMS = ["absorbed", "expanded"] as const;
const KINDS = ["logits", "hidden"] as const;

/** Consecutive tokens of one sequence. */
export interface Segment {
  /** Its first row in the batch, and its number of rows. */
  readonly first: number;
  readonly n: number;
  /** Position of the first token: the number of rows already in the cache. */
  readonly position: number;
  readonly phase: Phase;
  readonly form: (typeof FORMS)[number];
  /** u32[layers, pagesStride]: the addresses of the sequence's pages. */
  readonly pagesPtr: number;
}

/** Which results of a batch are requested. */
export interface Outputs {
  /** Logits, or hidden states: the residual stream after the last norm. */
  readonly kind: (typeof KINDS)[number];
  /** Sets the precision of logits. */
  readonly phase: Phase;
  /** Rows of the batch. */
  readonly rows: ArrayLike<number>;
}

/** Tokens that go through the model together. */
export interface Batch {
  readonly segments: readonly Segment[];
  readonly outputs: Outputs;
}

/** Words before the outputs' rows, the tokens and the page tables. */
const WORDS = 16;

/** The limits of a batch. */
export interface BatchSizes {
  readonly layers: number;
  readonly batchSize: number;
  readonly contextLength: number;
}

/** A batch's place in memory. */
export interface BatchPlan extends BatchSizes {
  readonly ptr: number;
}

/** Words from one layer's page table to the next. */
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

  /** Writes a batch of one segment: a sequence's next tokens, for which it has reserved rows. */
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

  /** Address of u32[pagesStride]: a segment's page table of a layer. */
  layerPages({ pagesPtr }: Segment, layer: number): number {
    return pagesPtr + layer * pagesStride(this.#plan) * 4;
  }

  /** Address of the page of that index in a segment's page table. */
  page({ pagesPtr }: Segment, layer: number, index: number): number {
    const first = (pagesPtr - this.#pages.byteOffset) / 4;
    return this.#pages[first + layer * pagesStride(this.#plan) + index];
  }
}
