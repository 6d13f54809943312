/** Micro-batches that score a held-out text: windows that overlap, so that tokens have context. */

import { NO_TARGET } from "../engine/kernels.js";
import { type Batch, createBatch } from "./batches.js";
import type { TokenizedText } from "./corpus.js";

/** The sizes of windows. */
export interface WindowOptions {
  /** Tokens of a micro-batch, a multiple of contextLength. */
  readonly tokens: number;
  /** Tokens of a window, and of a sequence. */
  readonly contextLength: number;
  /** Tokens by which windows advance, at most contextLength. */
  readonly stride: number;
}

/** A window of inputs, of which those from `scoredFrom` on have targets. */
interface Window {
  readonly from: number;
  readonly count: number;
  readonly scoredFrom: number;
}

/**
 * The micro-batches in which every token of every document is a target once, except the first of
 * each. A document's first window scores all its tokens, each later one only its new tokens.
 * Windows are packed whole; the rest of a sequence is tokens 0 without targets, each a document of
 * its own. All micro-batches are one object, refilled each time.
 */
export function* evaluationBatches(text: TokenizedText, options: WindowOptions): Generator<Batch> {
  const { contextLength } = options;
  const batch = createBatch(options.tokens);
  let at = 0;
  for (const window of windowsOf(text, options)) {
    const room = contextLength - (at % contextLength);
    if (window.count > room) {
      pad(batch, at, at + room, contextLength);
      at += room;
    }
    if (at === options.tokens) {
      yield batch;
      at = 0;
    }
    write(batch, at, at % contextLength, text, window);
    at += window.count;
  }
  pad(batch, at, options.tokens, contextLength);
  yield batch;
}

function* windowsOf(
  { ends }: TokenizedText,
  { contextLength, stride }: WindowOptions,
): Generator<Window> {
  let first = 0;
  for (const end of ends) {
    let scoredFrom = first;
    for (let from = first; scoredFrom < end - 1; from += stride) {
      const count = Math.min(contextLength, end - 1 - from);
      yield { from, count, scoredFrom };
      scoredFrom = from + count;
    }
    first = end;
  }
}

function write(
  batch: Batch,
  at: number,
  start: number,
  { tokens }: TokenizedText,
  { from, count, scoredFrom }: Window,
): void {
  for (let i = 0; i < count; i++) {
    batch.ids[at + i] = tokens[from + i];
    batch.targets[at + i] = from + i < scoredFrom ? NO_TARGET : tokens[from + i + 1];
    batch.positions[at + i] = i;
    batch.starts[at + i] = start;
  }
}

function pad(batch: Batch, from: number, end: number, contextLength: number): void {
  batch.ids.fill(0, from, end);
  batch.targets.fill(NO_TARGET, from, end);
  batch.positions.fill(0, from, end);
  for (let i = from; i < end; i++) batch.starts[i] = i % contextLength;
}
