/**
 * What the thread of the caller tells the others to do: a few words in shared memory, written
 * before they are announced. All threads then do the same, each its share.
 */
import type { Span } from "./attention.js";
import { WORK_BYTES } from "./buffers.js";
import type { LatentCache } from "./cache.js";
import type { Plm } from "./plm.js";
import { PRECISIONS, type Precision } from "./precision.js";

/** A piece of work. */
export type Work =
  | { readonly kind: "forward"; readonly span: Span; readonly layers: number }
  | { readonly kind: "logits"; readonly first: number; readonly count: number }
  | { readonly kind: "read" | "packKeys" };

const KINDS = ["forward", "logits", "read", "packKeys"] as const;
const FORMS = ["absorbed", "expanded"] as const;

/** How a piece of work is to be done. */
export interface WorkTerms {
  /** Threads that take part: those with a lower index. */
  readonly threads: number;
  readonly precision: Precision;
}

/** The words of announced work: two slots, so that one can be read while the next is written. */
export class WorkBoard {
  readonly #words: readonly [Int32Array, Int32Array];
  readonly #caches: readonly LatentCache[];

  constructor(memory: WebAssembly.Memory, ptr: number, caches: readonly LatentCache[]) {
    const words = (slot: number): Int32Array =>
      new Int32Array(memory.buffer, ptr + slot * (WORK_BYTES / 2), WORK_BYTES / 8);
    this.#words = [words(0), words(1)];
    this.#caches = caches;
  }

  /** Writes work number `n` (from 1), to be announced next. */
  write(n: number, work: Work, { threads, precision }: WorkTerms): void {
    const words = this.#words[n & 1];
    words.set([threads, PRECISIONS.indexOf(precision), KINDS.indexOf(work.kind)]);
    if (work.kind === "forward") {
      const { n: tokens, position, cache, form } = work.span;
      words.set(
        [tokens, position, this.#caches.indexOf(cache), FORMS.indexOf(form), work.layers],
        3,
      );
    } else if (work.kind === "logits") words.set([work.first, work.count], 3);
  }

  /** Reads work number `n`. */
  read(n: number): { work: Work; terms: WorkTerms } {
    const [threads, precision, kind, a, b, cache, form, layers] = this.#words[n & 1];
    const terms = { threads, precision: PRECISIONS[precision] };
    const name = KINDS[kind];
    if (name === "logits") return { work: { kind: name, first: a, count: b }, terms };
    if (name !== "forward") return { work: { kind: name }, terms };
    const span = { n: a, position: b, cache: this.#caches[cache], form: FORMS[form] };
    return { work: { kind: name, span, layers }, terms };
  }
}

/** Does one thread's share of a piece of work. */
export function perform(plm: Plm, work: Work, terms: WorkTerms): void {
  plm.member.begin(terms.threads);
  plm.linear.precision = terms.precision;
  if (work.kind === "forward") plm.forward(work.span, work.layers);
  else if (work.kind === "logits") plm.logits(work.first, work.count);
  else if (work.kind === "read") plm.readWeights();
  else plm.packKeys();
}

/** Does work announced after the first `done` for ever: what a thread of its own does. */
export function performAnnounced(plm: Plm, board: WorkBoard, done: number): never {
  const { member } = plm;
  for (let last = done; ; ) {
    const announced = member.awaitWork(last);
    const { work, terms } = board.read(announced);
    // Who takes no part may be late: the words were overwritten if more was announced since.
    if (member.announced !== announced) continue;
    if (member.index < terms.threads) perform(plm, work, terms);
    last = announced;
  }
}
