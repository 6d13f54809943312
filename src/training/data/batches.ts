/** The stream of micro-batches: texts mixed by weight, their documents shuffled and packed. */
import { invalidArgument, PlmError } from "../../errors.js";
import type { Mix } from "../run/config.js";
import type { TokenizedText } from "./corpus.js";
import { type Reading, TextReader } from "./text-reader.js";

/** A micro-batch: consecutive sequences of contextLength tokens; all arrays are u32[tokens]. */
export interface Batch {
  readonly ids: Uint32Array;
  /** The next token of the document, or NO_TARGET. */
  readonly targets: Uint32Array;
  /** The token's place in its document's piece: its rotary position. */
  readonly positions: Uint32Array;
  /** The index, in its sequence, of the first token of its document's piece. */
  readonly starts: Uint32Array;
}

/** An empty micro-batch. */
export function createBatch(tokens: number): Batch {
  return {
    ids: new Uint32Array(tokens),
    targets: new Uint32Array(tokens),
    positions: new Uint32Array(tokens),
    starts: new Uint32Array(tokens),
  };
}

/** A stream's state, plain JSON. */
export interface StreamState {
  readonly mix: Mix;
  /** Tokens taken from each text since the mix was set. */
  readonly served: Readonly<Record<string, number>>;
  readonly readings: Readonly<Record<string, Reading>>;
}

/** The parts of a stream. */
export interface StreamOptions {
  readonly seed: number;
  /** Tokens of a sequence. */
  readonly contextLength: number;
}

/** A text that is being read, with its weight in the mix. */
interface Source {
  readonly reader: TextReader;
  weight: number;
  served: number;
}

/**
 * An endless stream. Sequences are filled with pieces of documents, each piece attended to as a
 * document of its own; the rest of a document follows in a later sequence. Every token has a
 * target. The next piece comes from the text that is furthest behind its weight, in tokens since
 * the mix was set.
 */
export class BatchStream {
  readonly #sources: ReadonlyMap<string, Source>;
  readonly #contextLength: number;
  #mix: Mix = {};

  constructor(texts: readonly TokenizedText[], { seed, contextLength }: StreamOptions) {
    this.#contextLength = contextLength;
    this.#sources = new Map(
      texts.map((text) => {
        const reader = new TextReader(text, seed, 2 * contextLength);
        return [text.name, { reader, weight: 0, served: 0 }];
      }),
    );
  }

  /**
   * Sets the shares of the texts; does nothing if they are in use already. Throws INVALID_ARGUMENT
   * for a text that the stream lacks, or no weight above 0.
   */
  useMix(mix: Mix): void {
    if (isSameMix(mix, this.#mix)) return;
    this.#checkMix(mix);
    this.#setMix(mix);
  }

  #setMix(mix: Mix): void {
    this.#mix = { ...mix };
    for (const [name, source] of this.#sources) {
      source.weight = Object.hasOwn(mix, name) ? mix[name] : 0;
      source.served = 0;
    }
  }

  /** Fills the batch, whole sequences of it. Throws INVALID_ARGUMENT if no mix was set. */
  fill(batch: Batch): void {
    const sources = [...this.#sources.values()].filter(({ weight }) => weight > 0);
    if (sources.length === 0) throw new PlmError("INVALID_ARGUMENT", "batches: no mix was set");
    const { ids, targets, positions, starts } = batch;
    for (let first = 0; first < ids.length; first += this.#contextLength) {
      const end = Math.min(first + this.#contextLength, ids.length);
      for (let at = first; at < end; ) {
        const source = furthestBehind(sources);
        const { tokens } = source.reader.text;
        const { from, count } = source.reader.take(end - at);
        for (let i = 0; i < count; i++, at++) {
          ids[at] = tokens[from + i];
          targets[at] = tokens[from + i + 1];
          positions[at] = i;
          starts[at] = at - i - first;
        }
        source.served += count;
      }
    }
  }

  /** The state for `restore` to continue from. */
  state(): StreamState {
    const entries = [...this.#sources];
    return {
      mix: { ...this.#mix },
      served: Object.fromEntries(entries.map(([name, { served }]) => [name, served])),
      readings: Object.fromEntries(entries.map(([name, { reader }]) => [name, reader.reading()])),
    };
  }

  /**
   * Continues from a state of a stream with the same seed and contextLength. Texts that it lacks
   * start from their beginning. Throws INVALID_CONFIG if a text of its mix is missing or has
   * changed.
   */
  restore(state: StreamState): void {
    const mixed = Object.keys(state.mix).filter((name) => state.mix[name] > 0);
    const missing = mixed.find((name) => !this.#sources.has(name));
    if (missing !== undefined) throw differs(missing, "none");
    this.#setMix(state.mix);
    for (const [name, source] of this.#sources) {
      if (!Object.hasOwn(state.readings, name)) continue;
      if (!source.reader.resume(state.readings[name])) throw differs(name, "another one");
      source.served = state.served[name];
    }
  }

  #checkMix(mix: Mix): void {
    const unknown = Object.keys(mix).find((name) => !this.#sources.has(name));
    if (unknown !== undefined) {
      throw invalidArgument("mix", "texts of the stream", unknown);
    }
    if (Object.values(mix).some((weight) => weight > 0)) return;
    throw invalidArgument("mix", "a weight above 0", "none");
  }
}

/** The source with the fewest tokens so far for its weight, the first of several. */
function furthestBehind(sources: readonly Source[]): Source {
  let furthest = sources[0];
  for (const source of sources) {
    if (source.served / source.weight < furthest.served / furthest.weight) furthest = source;
  }
  return furthest;
}

function isSameMix(one: Mix, other: Mix): boolean {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].every((name) => (one[name] ?? 0) === (other[name] ?? 0));
}

function differs(name: string, got: string): PlmError {
  const message = `text ${name}: expected the text that the checkpoint was made with, got ${got}`;
  return new PlmError("INVALID_CONFIG", message);
}
