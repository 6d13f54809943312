/** The layers that stay in their files, as the engine brings them into memory. */
import { invalidArgument } from "../errors.js";
import { type ByteSource, isRereadable } from "../format/byte-source.js";
import type { LayerWindow } from "../loading/layer-window.js";
import type { LoadReport } from "../loading/progress.js";
import type { Sample } from "../model/fingerprint.js";
import type { LayerRun } from "../model/plm.js";
import { type PlmWeights, tensorBytes, type Weight, weightsOf } from "../model/weights.js";
import type { Work } from "./work.js";

/** Throws INVALID_ARGUMENT for sources that cannot be read again, or only over a network. */
export function checkRereadable(sources: readonly ByteSource[]): void {
  const found = sources.find((source) => !isRereadable(source));
  if (found === undefined) return;
  const expected = "a file, a Blob or a stored copy for fewer layers than all (`models.pull`)";
  throw invalidArgument("residentLayers", expected, found.name);
}

/** What streamed layers need of the engine. */
export interface StreamingParts {
  readonly window: LayerWindow;
  readonly weights: PlmWeights;
  /** Does work on that many threads. */
  readonly perform: (work: Work, threads: number) => unknown;
  readonly sample: (weight: Weight) => Sample;
}

export class StreamedLayers {
  readonly #parts: StreamingParts;
  readonly #samples = new Map<Weight, Sample>();
  /** The layer that is in the window as a whole. */
  #layer: number | undefined;

  constructor(parts: StreamingParts) {
    this.#parts = parts;
  }

  /** Whether a layer is streamed. */
  has(layer: number): boolean {
    return this.#parts.weights.streamed.includes(layer);
  }

  /** The layer in the window. */
  get layer(): number | undefined {
    return this.#layer;
  }

  /** The sample of a weight that is streamed. */
  sampleOf(weight: Weight): Sample | undefined {
    return this.#samples.get(weight);
  }

  /**
   * Has a streamed layer in the window, packed by that many threads, unless `isWanted` says no
   * before one of its chunks is packed. Throws what LayerWindow.bring and `isWanted` throw.
   */
  async bring(layer: number, threads: number, isWanted: () => boolean): Promise<void> {
    const { window, perform } = this.#parts;
    const pack = (i: number, count: number): boolean => {
      const goesOn = isWanted();
      if (goesOn) perform({ kind: "packChunk", i, count }, threads);
      return goesOn;
    };
    if (this.#layer === layer) return;
    this.#layer = undefined;
    if (!(await window.bring(layer, pack))) return;
    perform({ kind: "packKeys", first: layer, end: layer + 1 }, threads);
    this.#layer = layer;
  }

  /**
   * Brings each layer once, which checks its weights and takes their samples. The first comes last,
   * and is there then.
   */
  async bringAll(threads: number, report: LoadReport, signal?: AbortSignal): Promise<void> {
    const { weights, sample } = this.#parts;
    const [first, ...others] = weights.streamed;
    const goOn = (): boolean => {
      signal?.throwIfAborted();
      return true;
    };
    for (const layer of [...others, first]) {
      await this.bring(layer, threads, goOn);
      const own = weightsOf(weights.layers[layer]);
      for (const weight of own) this.#samples.set(weight, sample(weight));
      report.add(tensorBytes(own));
    }
  }
}

/** Runs of layers of which only the first may be streamed: what is evaluated without a pause. */
export function runsOf({ layers, streamed }: PlmWeights): LayerRun[] {
  const starts = [...new Set([0, ...streamed])];
  return starts.map((first, i) => ({ first, end: starts[i + 1] ?? layers.length }));
}
