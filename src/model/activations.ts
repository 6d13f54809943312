/** Which neurons of the MLPs fire for a token. */
import type { PlmConfig } from "./config.js";

/** The squared-ReLU activations of one token that were not zero. */
export interface ActivationCapture {
  readonly layers: number;
  /** Neurons of a layer: the config's intermediateSize. */
  readonly neurons: number;
  /**
   * u8[layers, ceil(neurons / 8)]; neuron n of a layer is bit n % 8, from the lowest, of the
   * layer's byte floor(n / 8). Set where its activation was not zero.
   */
  readonly nonZero: Uint8Array;
}

/** Captures the activations of a pass's first row, layer by layer. */
export class ActivationRecorder implements ActivationCapture {
  readonly layers: number;
  readonly neurons: number;
  readonly nonZero: Uint8Array;

  constructor({ numHiddenLayers, intermediateSize }: PlmConfig) {
    this.layers = numHiddenLayers;
    this.neurons = intermediateSize;
    this.nonZero = new Uint8Array(numHiddenLayers * Math.ceil(intermediateSize / 8));
  }

  /** Records the neurons of a layer that are not zero. */
  record(layer: number, active: Uint32Array): void {
    const first = layer * Math.ceil(this.neurons / 8);
    for (const neuron of active) this.nonZero[first + (neuron >> 3)] |= 1 << (neuron & 7);
  }
}
