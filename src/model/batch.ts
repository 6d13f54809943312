/**
 * The input of one forward pass: tokens of several sequences with their page tables, which the
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

/** The forms of attention, as they are computed. */
const FORMS = ["absorbed", "expanded"] as const;
export type Form = (typeof FORMS)[number];

/** What is requested of a row: logits, or the residual stream after the last norm. */
export type OutputKind = "logits" | "hidden";
const KINDS: readonly OutputKind[] = ["logits", "hidden"];

/** Consecutive rows of a batch in one phase. */
export interface Rows {
  readonly first: number;
  readonly n: number;
  readonly phase: Phase;
}

/** Consecutive tokens of one sequence. */
export interface Segment extends Rows {
  /** Position of the first token: the number of rows already in the cache. */
  readonly position: number;
  readonly form: Form;
  /** u32[layers, pagesStride]: the addresses of the sequence's pages. */
  readonly pagesPtr: number;
}

/** A result that is requested. */
export interface Output {
  /** A row of the batch. */
  readonly row: number;
  readonly kind: OutputKind;
  /** Sets the precision of logits. */
  readonly phase: Phase;
}

/** Tokens that go through the model together. */
export interface Batch {
  /** Those in the decode phase come first. */
  readonly segments: readonly Segment[];
  readonly outputs: readonly Output[];
}

/** A batch's rows by phase: decode, prefill or both. */
export function phasesOf({ segments }: Batch): Rows[] {
  const last = segments[segments.length - 1];
  const total = last.first + last.n;
  const prefill = segments.find(({ phase }) => phase === "prefill")?.first ?? total;
  const parts: Rows[] = [];
  if (prefill > 0) parts.push({ first: 0, n: prefill, phase: "decode" });
  if (prefill < total) parts.push({ first: prefill, n: total - prefill, phase: "prefill" });
  return parts;
}

/** The limits of a batch. */
export interface BatchSizes {
  readonly layers: number;
  /** Most rows. */
  readonly rows: number;
  /** Most segments. */
  readonly maxSequences: number;
  readonly contextLength: number;
}

/** A batch's place in memory. */
export interface BatchPlan extends BatchSizes {
  readonly ptr: number;
}

/** Words of the counts, and of each segment. */
const WORDS = 16;
const SEGMENT_WORDS = 4;

/** Words from one layer's page table to the next. */
function pagesStride({ contextLength }: Pick<BatchSizes, "contextLength">): number {
  return pagesOf(contextLength);
}

/** Words of one segment's page tables. */
function tableWords(sizes: BatchSizes): number {
  return sizes.layers * pagesStride(sizes);
}

/** Plans room for a batch. */
export function planBatch(plan: MemoryPlan, sizes: BatchSizes): BatchPlan {
  const { rows, maxSequences } = sizes;
  const words = WORDS + 2 * rows + maxSequences * (SEGMENT_WORDS + tableWords(sizes));
  return { ...sizes, ptr: plan.add("scratch", "batch", words * 4) };
}

/** A sequence's next tokens, for which it has reserved rows, before they have a place in memory. */
export interface NextTokens extends Pick<Segment, "phase" | "form"> {
  readonly tokens: ArrayLike<number>;
  readonly sequence: CacheSequence;
}

/** The batch in memory. */
export class BatchBoard {
  /** u32[rows]: the tokens' ids. */
  readonly tokens: Uint32Array;
  readonly #plan: BatchPlan;
  readonly #counts: Int32Array;
  /** i32[maxSequences, 4]: n, position, phase, form */
  readonly #segments: Int32Array;
  /** u32[rows]: row, kind and phase */
  readonly #outputs: Uint32Array;
  /** u32[maxSequences, layers, pagesStride] */
  readonly #pages: Uint32Array;

  constructor(memory: WebAssembly.Memory, plan: BatchPlan) {
    const { rows, maxSequences } = plan;
    let end = plan.ptr;
    const words = (count: number): [ArrayBuffer, number, number] => {
      const ptr = end;
      end += count * 4;
      return [memory.buffer, ptr, count];
    };
    this.#plan = plan;
    this.#counts = new Int32Array(...words(WORDS));
    this.#segments = new Int32Array(...words(maxSequences * SEGMENT_WORDS));
    this.#outputs = new Uint32Array(...words(rows));
    this.tokens = new Uint32Array(...words(rows));
    this.#pages = new Uint32Array(...words(maxSequences * tableWords(plan)));
  }

  /**
   * Writes a batch of one segment for each of `parts`, those in the decode phase first. Requires at
   * most maxSequences parts, and rows as planned.
   */
  write(parts: readonly NextTokens[], outputs: readonly Output[]): Batch {
    let first = 0;
    parts.forEach(({ tokens, sequence, phase, form }, i) => {
      const words = [tokens.length, sequence.length, PHASES.indexOf(phase), FORMS.indexOf(form)];
      this.#segments.set(words, i * SEGMENT_WORDS);
      this.tokens.set(tokens, first);
      first += tokens.length;
      const size = tableWords(this.#plan);
      sequence.writeTables(this.#pages.subarray(i * size), pagesStride(this.#plan));
    });
    outputs.forEach(({ row, kind, phase }, i) => {
      this.#outputs[i] = row * 4 + KINDS.indexOf(kind) * 2 + PHASES.indexOf(phase);
    });
    this.#counts.set([parts.length, outputs.length]);
    return this.read();
  }

  /** The batch that was written last. */
  read(): Batch {
    const segmentCount = this.#counts[0];
    const outputCount = this.#counts[1];
    const segments: Segment[] = [];
    let first = 0;
    for (let i = 0; i < segmentCount; i++) {
      const at = i * SEGMENT_WORDS;
      const n = this.#segments[at];
      const position = this.#segments[at + 1];
      const phase = PHASES[this.#segments[at + 2]];
      const form = FORMS[this.#segments[at + 3]];
      const pagesPtr = this.#pages.byteOffset + i * tableWords(this.#plan) * 4;
      segments.push({ first, n, position, phase, form, pagesPtr });
      first += n;
    }
    const outputs: Output[] = [];
    for (let i = 0; i < outputCount; i++) {
      const word = this.#outputs[i];
      outputs.push({ row: word >> 2, kind: KINDS[(word >> 1) & 1], phase: PHASES[word & 1] });
    }
    return { segments, outputs };
  }

  /** Address of u32[pagesStride]: a segment's page table of a layer. */
  layerPages({ pagesPtr }: Segment, layer: number): number {
    return pagesPtr + layer * pagesStride(this.#plan) * 4;
  }

  /** Address of the page of that index in a segment's page table. */
  page(segment: Segment, layer: number, index: number): number {
    return this.#pages[(this.layerPages(segment, layer) - this.#pages.byteOffset) / 4 + index];
  }
}
