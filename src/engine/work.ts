/**
 * Work for all threads: the caller's thread writes it to a few words of shared memory and announces
 * it, and every thread does its share.
 */
import type { Batch, BatchBoard } from "../model/batch.js";
import type { Plm, Receive } from "../model/plm.js";
import { PRECISIONS, type Precision } from "../model/precision.js";
import { WORK_BYTES } from "./meeting.js";

/** A piece of work. */
export type Work =
  | { readonly kind: "evaluate"; readonly batch: Batch; readonly layers: number }
  | { readonly kind: "read" | "packKeys" };

const KINDS = ["evaluate", "read", "packKeys"] as const;

/** The words of announced work, written when all threads have done the last. */
export class WorkBoard {
  readonly #words: Int32Array;
  readonly #batch: BatchBoard;

  /** The batch itself is already in `batch`. */
  constructor(memory: WebAssembly.Memory, ptr: number, batch: BatchBoard) {
    this.#words = new Int32Array(memory.buffer, ptr, WORK_BYTES / 4);
    this.#batch = batch;
  }

  write(work: Work, precision: Precision): void {
    this.#words.set([PRECISIONS.indexOf(precision), KINDS.indexOf(work.kind)]);
    if (work.kind === "evaluate") this.#words[2] = work.layers;
  }

  read(): { work: Work; precision: Precision } {
    const [precisionIndex, kind, layers] = this.#words;
    const precision = PRECISIONS[precisionIndex];
    const name = KINDS[kind];
    if (name !== "evaluate") return { work: { kind: name }, precision };
    return { work: { kind: name, batch: this.#batch.read(), layers }, precision };
  }
}

/**
 * Does one thread's share of a piece of work that its member has begun. `receive` is that of
 * Plm.evaluate.
 */
export function perform(plm: Plm, work: Work, precision: Precision, receive?: Receive): void {
  plm.linear.precision = precision;
  if (work.kind === "evaluate") plm.evaluate(work.batch, work.layers, receive);
  else if (work.kind === "read") plm.readWeights();
  else plm.packKeys();
}

/** Does work announced after `done` until the thread is dismissed. */
export function performAnnounced(plm: Plm, board: WorkBoard, done: number): void {
  plm.member.follow(done, () => {
    const { work, precision } = board.read();
    perform(plm, work, precision);
  });
}
