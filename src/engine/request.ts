/** Tokens of one sequence that wait to be evaluated. */
import type { AttentionForm } from "../model/attention-form.js";
import { chooseAttention } from "../model/attention-form.js";
import type { Form, NextTokens, Output, Phase } from "../model/batch.js";
import type { PlmConfig } from "../model/config.js";
import type { ResolvedEvaluation } from "./evaluation.js";
import type { Job } from "./scheduler.js";
import type { Sequence } from "./sequence.js";

/** Rows to evaluate in one pass, and what is requested of them. */
export interface Piece extends NextTokens {
  readonly tokens: Uint32Array;
  /** Rows of the piece, counted from its first. */
  readonly outputs: readonly Output[];
  /** Where each output goes. */
  readonly targets: readonly Float32Array[];
  /** Whether anyone still waits for it. */
  readonly isWanted: () => boolean;
}

/** How the form of attention is chosen. */
export interface FormChoice {
  readonly attention: AttentionForm;
  readonly config: PlmConfig;
}

export class Request implements Job {
  readonly sequence: Sequence;
  /** The new tokens; none only brings back rows that were given up. */
  readonly tokens: Uint32Array;
  readonly evaluation: ResolvedEvaluation;
  /** Of the new tokens, those whose rows were reused. */
  cachedTokens = 0;
  #isOver = false;
  #failure: { readonly reason: unknown } | undefined;
  #allTokens: Uint32Array | undefined;
  readonly #choice: FormChoice;
  readonly #start: number;
  readonly #outLength: number;
  /**
   * The chunk under way. Its form depends on the prompt alone; the pieces in which it is evaluated
   * depend on the load as well.
   */
  #chunk: { readonly end: number; readonly form: Form } | undefined;

  constructor(
    sequence: Sequence,
    tokens: Uint32Array,
    evaluation: ResolvedEvaluation,
    choice: FormChoice,
  ) {
    this.sequence = sequence;
    this.tokens = tokens;
    this.evaluation = evaluation;
    this.#choice = choice;
    this.#start = sequence.length;
    this.#outLength = evaluation.out.length;
  }

  get age(): number {
    return this.sequence.age!;
  }

  get isAdmitted(): boolean {
    return this.sequence.isAdmitted;
  }

  get canBePutBack(): boolean {
    return this.sequence.canBePutBack;
  }

  /** The length of the sequence in the end. */
  get end(): number {
    return this.#start + this.tokens.length;
  }

  /** Rows that are missing. */
  get left(): number {
    return this.end - this.sequence.cache.length;
  }

  /** The most rows of the next piece. */
  get next(): number {
    return this.#run().end - this.sequence.cache.length;
  }

  /** All tokens of the sequence in the end. */
  get allTokens(): Uint32Array {
    if (this.#allTokens === undefined) {
      this.#allTokens = new Uint32Array(this.end);
      this.#allTokens.set(this.sequence.history.tokens);
      this.#allTokens.set(this.tokens, this.#start);
    }
    return this.#allTokens;
  }

  /** How many tokens both sequences begin with in the end. */
  countCommon({ allTokens }: Request): number {
    const most = Math.min(this.end, allTokens.length);
    let common = 0;
    while (common < most && this.allTokens[common] === allTokens[common]) common++;
    return common;
  }

  /** The most rows that may be reused: the last one's logits, or all, must be computed. */
  get mostReused(): number {
    if (this.tokens.length === 0 || this.evaluation.choice === "all") return this.sequence.length;
    return this.evaluation.choice === "none" ? this.end : this.end - 1;
  }

  /** Whether the array for the result is still where it was: its buffer may be transferred. */
  get hasResult(): boolean {
    return this.evaluation.out.length === this.#outLength;
  }

  /** The next n rows, at most `next`. */
  piece(n: number): Piece {
    const { cache, history } = this.sequence;
    const { length: position } = cache;
    const { phase, form } = this.#run();
    const isWanted = (): boolean => !this.isOver && this.hasResult;
    const common = { sequence: cache, phase, form, isWanted };
    if (position < history.length) {
      const tokens = history.tokens.subarray(position, position + n);
      return { tokens, ...common, outputs: [], targets: [] };
    }
    const from = position - this.#start;
    const tokens = this.tokens.subarray(from, from + n);
    return { tokens, ...common, ...this.#outputs(from, n) };
  }

  /** Records that the rows of a piece are in the cache. */
  advance({ tokens, phase, form }: Piece): void {
    const { cache, history } = this.sequence;
    if (cache.length === history.length) history.append(tokens, phase, form);
    cache.append(tokens.length);
  }

  /** Whether all rows are there, or it failed. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Ends the request: with an error, or because all rows are there. */
  settle(failure?: { readonly reason: unknown }): void {
    this.#isOver = true;
    this.#failure = failure;
  }

  /** Throws why it failed, if it did. */
  throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.reason;
  }

  /** The rows that may be evaluated together from where the cache ends. */
  #run(): { phase: Phase; form: Form; end: number } {
    const { cache, history } = this.sequence;
    const { length: position } = cache;
    if (position < history.length) return history.runAt(position);
    const { phase, step } = this.evaluation;
    if (this.#chunk === undefined || this.#chunk.end <= position) {
      const n = Math.min(step, this.end - position);
      const { attention, config } = this.#choice;
      const form = chooseAttention(attention, config, { n, position, phase });
      this.#chunk = { end: position + n, form };
    }
    return { phase, ...this.#chunk };
  }

  /** What is requested of n new tokens from the one at `from` on. */
  #outputs(from: number, n: number): Pick<Piece, "outputs" | "targets"> {
    const { choice, kind, phase, out, width } = this.evaluation;
    if (choice === "all") {
      const rows = Array.from({ length: n }, (_, row) => row);
      return {
        outputs: rows.map((row) => ({ row, kind, phase })),
        targets: rows.map((row) => out.subarray((from + row) * width, (from + row + 1) * width)),
      };
    }
    if (choice === "none" || from + n < this.tokens.length) return { outputs: [], targets: [] };
    // What decoding goes on from is exact.
    return { outputs: [{ row: n - 1, kind, phase: "decode" }], targets: [out] };
  }
}
