/** The options of `Session.evaluate`, with their defaults and checks. */
import { brandOf, checkSignal } from "../brands.js";
import { describeValue, kindOf } from "../describe.js";
import { invalidArgument, type PlmError } from "../errors.js";
import { type OutputKind, PHASES, type Phase } from "../model/batch.js";
import type { PlmConfig } from "../model/config.js";

/** Options of `Session.evaluate`. */
export interface EvaluateOptions {
  /**
   * Which logits to return: of the last token (default), computed exactly; of all given tokens, in
   * the precision of their phase; or none.
   */
  logits?: RowsChoice;
  /**
   * Return hidden states instead: the residual stream after the last norm, f32[hiddenSize] of the
   * last token or of each.
   */
  hidden?: RowsChoice;
  /** Where to write the result, an array of exactly its length; default a new one. */
  out?: Float32Array;
  /** Most tokens to evaluate at once; default the model's `batchSize`. */
  chunkSize?: number;
  /**
   * `prefill` evaluates tokens together, with the model's `precision`; `decode` evaluates them one
   * by one and exactly. Default: decode for a single token and for chunks of one, else prefill.
   */
  phase?: Phase;
  signal?: AbortSignal;
}

/** Which rows to return. */
const ROWS_CHOICES = ["last", "all", "none"] as const;
type RowsChoice = (typeof ROWS_CHOICES)[number];

/** Options with every default filled in. */
export interface ResolvedEvaluation {
  readonly kind: OutputKind;
  readonly phase: Phase;
  readonly choice: RowsChoice;
  /** Floats of a row of the result. */
  readonly width: number;
  /** The result. */
  readonly out: Float32Array;
  /** Most tokens at once. */
  readonly step: number;
  readonly signal: AbortSignal | undefined;
}

/** The options of an evaluation of `count` tokens. Throws INVALID_ARGUMENT. */
export function resolveEvaluation(
  options: EvaluateOptions,
  count: number,
  config: PlmConfig,
  batchSize: number,
): ResolvedEvaluation {
  const wanted = resolveRows(options, config);
  const step = resolveChunkSize(options, batchSize);
  return {
    ...wanted,
    out: resolveOut(options, { last: 1, all: count, none: 0 }[wanted.choice] * wanted.width),
    step,
    phase: resolvePhase(options, count),
    signal: checkSignal(options.signal),
  };
}

function resolveRows(
  { logits, hidden }: EvaluateOptions,
  { vocabSize, hiddenSize }: PlmConfig,
): Pick<ResolvedEvaluation, "kind" | "choice" | "width"> {
  for (const [name, choice] of Object.entries({ logits, hidden })) {
    if (choice === undefined || ROWS_CHOICES.includes(choice)) continue;
    throw invalidArgument(name, ROWS_CHOICES.join(", "), describeValue(choice));
  }
  if (hidden === undefined) return { kind: "logits", choice: logits ?? "last", width: vocabSize };
  if (logits === undefined) return { kind: "hidden", choice: hidden, width: hiddenSize };
  throw invalidArgument("hidden", "no `logits` beside it", describeValue(logits));
}

/** The array for the result. */
function resolveOut({ out }: EvaluateOptions, length: number): Float32Array {
  if (out === undefined) return new Float32Array(length);
  if (brandOf(out) === "Float32Array" && out.length === length) return out;
  throw invalidArgument(
    "out",
    `a Float32Array of length ${length}`,
    `${kindOf(out)} of length ${out?.length}`,
  );
}

/** The error of a result's array that was transferred while it was waited for. */
export function lostOut(out: Float32Array): PlmError {
  return invalidArgument("out", "to stay in place", kindOf(out));
}

function resolveChunkSize({ chunkSize }: EvaluateOptions, batchSize: number): number {
  if (chunkSize === undefined) return batchSize;
  if (Number.isInteger(chunkSize) && chunkSize >= 1) return Math.min(chunkSize, batchSize);
  throw invalidArgument("chunkSize", "a positive integer", describeValue(chunkSize));
}

function resolvePhase({ phase, chunkSize }: EvaluateOptions, count: number): Phase {
  if (phase === undefined) return count === 1 || chunkSize === 1 ? "decode" : "prefill";
  if (PHASES.includes(phase)) return phase;
  throw invalidArgument("phase", PHASES.join(" or "), describeValue(phase));
}
