/** The loop of one generation in a worker, a few pieces ahead of its reader. */
import type { Session } from "../engine/session.js";
import { generatePieces } from "../generation/generate.js";
import { createRecord } from "../generation/generation.js";
import type { ResolvedOptions } from "../generation/options.js";
import { changesOf } from "../generation/record-changes.js";
import type { LoopUpdate, SentLoop } from "../remote/protocol.js";
import type { Tokenizer } from "../tokenizer/tokenizer.js";

export class Loop {
  readonly #loop: SentLoop;
  readonly #signal: AbortSignal;
  /** Pieces that may be made now. */
  #allowed = 0;
  #isStopped = false;
  #wake: () => void = () => undefined;

  constructor(loop: SentLoop, signal: AbortSignal) {
    this.#loop = loop;
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#wake(), { once: true });
  }

  /** The reader can take so many more pieces. */
  allow(count: number): void {
    this.#allowed += count;
    this.#wake();
  }

  /** The reader takes no more. */
  stop(): void {
    this.#isStopped = true;
    this.#wake();
  }

  /** Generates in a session; gives each piece, and what came behind the last, to `onUpdate`. */
  async run(
    session: Session,
    decoder: Tokenizer,
    onUpdate: (update: LoopUpdate) => void,
  ): Promise<void> {
    const { phase } = this.#loop;
    const prompt = [...this.#loop.prompt];
    const signal = this.#signal;
    const options = { ...(this.#loop.options as ResolvedOptions), signal };
    const record = createRecord(options, prompt.length);
    const parts = { evaluator: session, decoder, prompt };
    const changes = changesOf(record);
    let known = session.length;
    const update = (piece: string | undefined): void => {
      const evaluated = [...session.tokens.subarray(known)];
      known += evaluated.length;
      const isLast = record.finishReason !== undefined;
      onUpdate({ piece, evaluated, record: changes(), isLast });
    };
    const pieces = generatePieces(parts, options, record, { promptPhase: phase });
    try {
      while (await this.#isAllowed()) {
        const { value, done } = await pieces.next();
        if (done) break;
        this.#allowed--;
        update(value);
      }
    } finally {
      await pieces.return();
      update(undefined);
    }
  }

  /** Waits until another piece may be made; false if none may any more. */
  async #isAllowed(): Promise<boolean> {
    while (this.#allowed === 0 && !this.#isStopped && !this.#signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#signal.throwIfAborted();
    return !this.#isStopped;
  }
}
