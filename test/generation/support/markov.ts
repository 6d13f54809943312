/** Test doubles: a model whose next token depends on the last one only; texts for its tokens. */
import { PlmError } from "../../../src/errors.js";
import type { Evaluator, TokenDecoder } from "../../../src/generation/evaluator.js";
import type { IncrementalDecoder } from "../../../src/tokenizer/decoder.js";

/** An evaluator over a table: after token t, the logits are table[t]. Keeps what it evaluated. */
export class MarkovModel implements Evaluator {
  readonly vocabSize: number;
  readonly contextLength: number;
  readonly evaluated: number[] = [];
  /** Called with each token before it is evaluated. */
  onToken: (token: number) => void = () => {};
  readonly #table: readonly (readonly number[])[];

  constructor(table: readonly (readonly number[])[], contextLength = 1000) {
    this.#table = table;
    this.vocabSize = table.length;
    this.contextLength = contextLength;
  }

  get length(): number {
    return this.evaluated.length;
  }

  get tokens(): readonly number[] {
    return this.evaluated;
  }

  async evaluate(
    tokens: ArrayLike<number>,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<Float32Array> {
    if (this.length + tokens.length > this.contextLength) {
      throw new PlmError("CONTEXT_FULL", `${tokens.length} tokens more, ${this.length} so far`);
    }
    for (const token of Array.from(tokens)) {
      await undefined;
      signal?.throwIfAborted();
      this.onToken(token);
      this.evaluated.push(token);
    }
    return Float32Array.from(this.#table[this.evaluated[this.length - 1]]);
  }

  truncate(length: number): void {
    this.evaluated.length = length;
  }
}

/** A row of logits in which `next` is certain, near enough. */
export function certain(next: number, vocabSize: number): number[] {
  return Array.from({ length: vocabSize }, (_, id) => (id === next ? 10 : -10));
}

/** A model that counts: after t comes t + 1, after the last the first. */
export function countingModel(vocabSize: number, contextLength = 1000): MarkovModel {
  const table = Array.from({ length: vocabSize }, (_, id) =>
    certain((id + 1) % vocabSize, vocabSize),
  );
  return new MarkovModel(table, contextLength);
}

/**
 * A decoder of fixed texts; bytes are given as Uint8Array and may be parts of characters. `control`
 * are the tokens that `special: false` passes over.
 */
export function tableDecoder(
  texts: (string | Uint8Array)[],
  eos: number[] = [],
  control: number[] = [],
): TokenDecoder {
  return {
    eosTokenIds: new Set(eos),
    createDecoder({ special = true } = {}): IncrementalDecoder {
      const utf8 = new TextDecoder();
      const encoder = new TextEncoder();
      return {
        push(id) {
          const text = !special && control.includes(id) ? "" : texts[id];
          return utf8.decode(typeof text === "string" ? encoder.encode(text) : text, {
            stream: true,
          });
        },
        end: () => utf8.decode(),
      };
    },
  };
}
