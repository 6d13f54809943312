/**
 * Work for all threads: the caller's thread writes it to a few words of shared memory and announces
 * it, and every thread does its share.
 */
import type { WindowPacker } from "../loading/window-staging.js";
import type { BatchBoard } from "../model/batch.js";
import type { LayerRun, LayersOfPass, Plm, Receive } from "../model/plm.js";
import { PRECISIONS, type Precision } from "../model/precision.js";
import { WORK_BYTES } from "./meeting.js";

/** A piece of work. */
export type Work =
  | ({ readonly kind: "evaluate" } & LayersOfPass)
  /** Packs the keys of some layers. */
  | ({ readonly kind: "packKeys" } & LayerRun)
  /** Packs chunk `i`, which was read `count`th, into the window. */
  | { readonly kind: "packChunk"; readonly i: number; readonly count: number }
  | { readonly kind: "read" };

const KINDS = ["evaluate", "packKeys", "packChunk", "read"] as const;

/** A model as one thread computes with it, and packs its streamed layers if it has any. */
export interface ThreadPart {
  readonly plm: Plm;
  readonly packer: WindowPacker | undefined;
}

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
    const [from, to] = numbersOf(work);
    this.#words.set([PRECISIONS.indexOf(precision), KINDS.indexOf(work.kind), from, to]);
  }

  read(): { work: Work; precision: Precision } {
    const [precisionIndex, kindIndex, from, to] = this.#words;
    const precision = PRECISIONS[precisionIndex];
    const kind = KINDS[kindIndex];
    const range = { first: from, end: to };
    if (kind === "evaluate")
      return { work: { kind, batch: this.#batch.read(), ...range }, precision };
    if (kind === "packKeys") return { work: { kind, ...range }, precision };
    if (kind === "packChunk") return { work: { kind, i: from, count: to }, precision };
    return { work: { kind }, precision };
  }
}

/** The numbers that tell one piece of work from another of its kind. */
function numbersOf(work: Work): [number, number] {
  if (work.kind === "read") return [0, 0];
  return work.kind === "packChunk" ? [work.i, work.count] : [work.first, work.end];
}

/**
 * Does one thread's share of a piece of work that its member has begun. `receive` is that of
 * Plm.evaluate.
 */
export function perform(
  { plm, packer }: ThreadPart,
  work: Work,
  precision: Precision,
  receive?: Receive,
): void {
  plm.linear.precision = precision;
  if (work.kind === "evaluate") plm.evaluate(work, receive);
  else if (work.kind === "packKeys") plm.packKeys(work.first, work.end);
  else if (work.kind === "packChunk") packer!.pack(work.i, work.count);
  else plm.readWeights();
}

/** Does work announced after `done` until the thread is dismissed. */
export function performAnnounced(part: ThreadPart, board: WorkBoard, done: number): void {
  part.plm.member.follow(done, () => {
    const { work, precision } = board.read();
    perform(part, work, precision);
  });
}
