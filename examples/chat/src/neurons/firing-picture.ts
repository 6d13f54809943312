/** The picture of firing neurons: layers are rows, neurons columns; what fired fades. */
import type { ActivationCapture } from "plm-wasm";

/** What is left of a column's light with the next picture. */
const FADE = 0.72;

/** The light of a picture, and how much of each layer fired. */
export class FiringPicture {
  readonly layers: number;
  readonly neurons: number;
  readonly columns: number;
  /** Of each layer, 0 to 1: the share that fired, over the last tokens. */
  readonly shares: Float32Array;
  /** f32[layers, columns], 0 to 1. */
  readonly #light: Float32Array;
  #isFirst = true;

  /** For captures like this one, with at most so many columns. */
  constructor({ layers, neurons }: ActivationCapture, mostColumns: number) {
    this.layers = layers;
    this.neurons = neurons;
    this.columns = Math.min(neurons, mostColumns);
    this.shares = new Float32Array(layers);
    this.#light = new Float32Array(layers * this.columns);
  }

  /** The share of all neurons that did not fire. */
  get skippedShare(): number {
    return 1 - this.shares.reduce((sum, share) => sum + share, 0) / this.layers;
  }

  /** Adds a token's neurons. A column shines with the share of its neurons that fire. */
  add({ nonZero }: ActivationCapture, isFading: boolean): void {
    const { layers, neurons, columns } = this;
    const rowBytes = Math.ceil(neurons / 8);
    const light = this.#light;
    const fade = isFading ? FADE : 0;
    for (let i = 0; i < light.length; i++) light[i] *= fade;
    const gain = columns / neurons;
    for (let layer = 0; layer < layers; layer++) {
      let fired = 0;
      for (let byte = 0; byte < rowBytes; byte++) {
        for (let bits = nonZero[layer * rowBytes + byte]; bits !== 0; bits &= bits - 1) {
          const neuron = byte * 8 + 31 - Math.clz32(bits & -bits);
          const at = layer * columns + Math.floor((neuron * columns) / neurons);
          light[at] = Math.min(1, light[at] + Math.max(gain, 0.35));
          fired++;
        }
      }
      const share = fired / neurons;
      this.shares[layer] = this.#isFirst ? share : this.shares[layer] * 0.8 + share * 0.2;
    }
    this.#isFirst = false;
  }

  /** Writes the light as the opacity of pixels of one colour, u8[layers, columns, 4]. */
  write(pixels: Uint8ClampedArray, [red, green, blue]: readonly number[]): void {
    for (let i = 0; i < this.#light.length; i++) {
      pixels[4 * i] = red;
      pixels[4 * i + 1] = green;
      pixels[4 * i + 2] = blue;
      pixels[4 * i + 3] = 255 * this.#light[i];
    }
  }
}
