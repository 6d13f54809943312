/**
 * The tokens that may still be chosen, and partial selection of the best. The order is always the
 * same: higher logits first, equal logits by lower id. The vocabulary is never sorted.
 */
import { PlmError } from "../errors.js";

/** Tokens 0..length-1 of the arrays; the rest of the arrays is room. */
export interface Candidates {
  ids: Int32Array;
  logits: Float64Array;
  length: number;
  /** Whether they are in order; if not, their order is unspecified. */
  sorted: boolean;
}

/** Room for `capacity` candidates. */
export function createCandidates(capacity: number): Candidates {
  return {
    ids: new Int32Array(capacity),
    logits: new Float64Array(capacity),
    length: 0,
    sorted: true,
  };
}

/** Throws for a logit that no distribution can contain: NaN or +Infinity. */
export function rejectLogit(logit: number, id: number): never {
  throw new PlmError(
    "INVALID_ARGUMENT",
    `logits: expected numbers below Infinity, got ${logit} for token ${id}`,
  );
}

/** Throws because -Infinity everywhere leaves nothing to choose. */
export function rejectNoCandidates(): never {
  throw new PlmError(
    "INVALID_ARGUMENT",
    "logits: expected a finite one, got -Infinity for every token (all are banned)",
  );
}

/**
 * Fills `out` with every token whose logit is not -Infinity, unsorted, in order of id. Room:
 * logits.length. Throws PlmError INVALID_ARGUMENT for NaN, +Infinity, or nothing to choose.
 */
export function selectAll(logits: Float32Array, out: Candidates): void {
  let length = 0;
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id];
    if (logit === -Infinity) continue;
    if (!(logit < Infinity)) rejectLogit(logit, id);
    out.ids[length] = id;
    out.logits[length++] = logit;
  }
  if (length === 0) rejectNoCandidates();
  out.length = length;
  out.sorted = length === 1;
}

/**
 * Fills `out` with the `k` best tokens, sorted; fewer where fewer are not -Infinity. Room: k. One
 * pass with a heap whose root is the worst of the best so far. Throws as selectAll does.
 */
export function selectTopK(logits: Float32Array, k: number, out: Candidates): void {
  out.length = 0;
  let id = 0;
  for (; id < logits.length && out.length < k; id++) {
    const logit = logits[id];
    if (logit === -Infinity) continue;
    if (!(logit < Infinity)) rejectLogit(logit, id);
    out.ids[out.length] = id;
    out.logits[out.length++] = logit;
  }
  if (out.length === 0) rejectNoCandidates();
  heapify(out, WORST_FIRST);
  let worst = out.logits[0];
  for (; id < logits.length; id++) {
    const logit = logits[id];
    // An equal logit has a higher id, so it ranks lower. NaN takes this branch too.
    if (logit <= worst) continue;
    if (!(logit < Infinity)) rejectLogit(logit, id);
    out.ids[0] = id;
    out.logits[0] = logit;
    siftDown(out, 0, out.length, WORST_FIRST);
    worst = out.logits[0];
  }
  for (let size = out.length; size > 1; ) {
    swap(out, 0, --size);
    siftDown(out, 0, size, WORST_FIRST);
  }
  out.sorted = true;
}

/**
 * Keeps the best candidates, sorted, up to and including the first for which `isEnough` returns
 * true (all if it never does). Costs a heap of all and a sift for each that is kept.
 */
export function keepBest(
  candidates: Candidates,
  isEnough: (logit: number, id: number) => boolean,
): void {
  const { ids, logits, length } = candidates;
  let kept = 0;
  if (candidates.sorted) {
    while (kept < length && !isEnough(logits[kept], ids[kept++]));
    candidates.length = kept;
    return;
  }
  heapify(candidates, BEST_FIRST);
  let enough = false;
  while (kept < length && !enough) {
    const last = length - 1 - kept++;
    swap(candidates, 0, last);
    siftDown(candidates, 0, last, BEST_FIRST);
    enough = isEnough(logits[last], ids[last]);
  }
  // The best now lie at the end, in reverse.
  for (let i = 0; i < kept && i < length >> 1; i++) swap(candidates, i, length - 1 - i);
  candidates.length = kept;
  candidates.sorted = true;
}

/** Keeps the candidates whose logit is at least `least`, in their order. */
export function keepAtLeast(candidates: Candidates, least: number): void {
  const { ids, logits, length } = candidates;
  let kept = 0;
  for (let i = 0; i < length; i++) {
    if (logits[i] < least) continue;
    ids[kept] = ids[i];
    logits[kept++] = logits[i];
  }
  candidates.length = kept;
}

/** The highest logit. */
export function maxLogit({ logits, length, sorted }: Candidates): number {
  let max = logits[0];
  if (!sorted) for (let i = 1; i < length; i++) if (logits[i] > max) max = logits[i];
  return max;
}

const BEST_FIRST = 1;
const WORST_FIRST = -1;

/** Whether candidate i belongs above j in a heap whose root is the best (or the worst). */
function isAbove(c: Candidates, i: number, j: number, order: number): boolean {
  const difference = c.logits[i] - c.logits[j];
  return (difference === 0 ? c.ids[j] - c.ids[i] : difference) * order > 0;
}

function swap({ ids, logits }: Candidates, i: number, j: number): void {
  const id = ids[i];
  const logit = logits[i];
  ids[i] = ids[j];
  logits[i] = logits[j];
  ids[j] = id;
  logits[j] = logit;
}

function siftDown(c: Candidates, from: number, size: number, order: number): void {
  let parent = from;
  for (let child = 2 * parent + 1; child < size; child = 2 * parent + 1) {
    if (child + 1 < size && isAbove(c, child + 1, child, order)) child++;
    if (!isAbove(c, child, parent, order)) return;
    swap(c, parent, child);
    parent = child;
  }
}

function heapify(c: Candidates, order: number): void {
  for (let i = (c.length >> 1) - 1; i >= 0; i--) siftDown(c, i, c.length, order);
}
