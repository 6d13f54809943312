/**
 * What the thread of the caller has the others do: a few words in shared memory, written before
 * they are announced. All threads then do the same, each its share.
 */

import type { LatentCache } from "../cache/rows.js";
import type { Span } from "../model/parts.js";
import type { Plm } from "../model/plm.js";
import { PRECISIONS, type Precision } from "../model/precision.js";
import { WORK_BYTES } from "./meeting.js";

/** A piece of work. */
export type Work =
  | { readonly kind: "forward"; readonly span: Span; readonly layers: number }
  | { readonly kind: "logits"; readonly first: number; readonly count: number }
  | { readonly kind: "read" | "packKeys" };

const KINDS = ["forward", "logits", "read", "packKeys"] as const;
const FORMS = ["absorbed", "expanded"] as const;

/** The words of announced work. They are written when all have done the last. */
export class WorkBoard {
  readonly #words: Int32Array;
  readonly #caches: readonly LatentCache[];

  constructor(memory: WebAssembly.Memory, ptr: number, caches: readonly LatentCache[]) {
    this.#words = new Int32Array(memory.buffer, ptr, WORK_BYTES / 4);
    this.#caches = caches;
  }

  write(work: Work, precision: Precision): void {
    const words = this.#words;
    words.set([PRECISIONS.indexOf(precision), KINDS.indexOf(work.kind)]);
    if (work.kind === "forward") {
      const { n, position, cache, form } = work.span;
      words.set([n, position, this.#caches.indexOf(cache), FORMS.indexOf(form), work.layers], 2);
    } else if (work.kind === "logits") words.set([work.first, work.count], 2);
  }

  read(): { work: Work; precision: Precision } {
    const [precisionIndex, kind, a, b, cache, form, layers] = this.#words;
    const precision = PRECISIONS[precisionIndex];
    const name = KINDS[kind];
    if (name === "logits") return { work: { kind: name, first: a, count: b }, precision };
    if (name !== "forward") return { work: { kind: name }, precision };
    const span = { n: a, position: b, cache: this.#caches[cache], form: FORMS[form] };
    return { work: { kind: name, span, layers }, precision };
  }
}

/** Does one thread's share of a piece of work that its member has begun. */
export function perform(plm: Plm, work: Work, precision: Precision): void {
  plm.linear.precision = precision;
  if (work.kind === "forward") plm.forward(work.span, work.layers);
  else if (work.kind === "logits") plm.logits(work.first, work.count);
  else if (work.kind === "read") plm.readWeights();
  else plm.packKeys();
}

/** Does work announced after `done` until it is dismissed: what a thread of its own does. */
export function performAnnounced(plm: Plm, board: WorkBoard, done: number): void {
  plm.member.follow(done, () => {
    const { work, precision } = board.read();
    perform(plm, work, precision);
  });
}
