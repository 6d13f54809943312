/**
 * The picture of firing neurons: a band of cells for each layer, read from left to right and from
 * top to bottom; a cell stands for some neurons that follow one another. What fired fades.
 */
import type { ActivationCapture } from "plm-wasm";

/** What is left of a cell's light with the next picture. */
const FADE = 0.72;

/** Cells that are this wide and high, in pixels of the page, are seen one by one. */
const CELL_PX = 3.6;

/** When this share of its neurons fires, a cell has full light. */
const FULL_SHARE = 0.3;

/** The light of a picture, and how much of each layer fired. */
export class FiringPicture {
  readonly layers: number;
  readonly neurons: number;
  /** In cells; a row without light parts the layers. */
  readonly width: number;
  readonly height: number;
  /** Of each layer, 0 to 1: the share that fired, over the last tokens. */
  readonly shares: Float32Array;
  /** Rows of a layer's cells. */
  readonly #bandRows: number;
  /** The cell of each neuron, in its layer's band. */
  readonly #cellOf: Uint32Array;
  /** What a neuron adds to the light of its cell. */
  readonly #gain: number;
  /** f32[height, width], 0 to 1. */
  readonly #light: Float32Array;
  /** u16[height, width]: the neurons of each cell that fire for the token that is added. */
  readonly #fired: Uint16Array;
  #isFirst = true;

  /** For captures like this one, in a place of the page of so many pixels. */
  constructor({ layers, neurons }: ActivationCapture, widthPx: number, heightPx: number) {
    this.layers = layers;
    this.neurons = neurons;
    const mostRows = Math.max(1, Math.floor(heightPx / layers / CELL_PX) - 1);
    const mostColumns = Math.max(1, Math.floor(widthPx / CELL_PX));
    this.#bandRows = Math.min(mostRows, Math.ceil(neurons / mostColumns));
    this.width = Math.min(mostColumns, Math.ceil(neurons / this.#bandRows));
    this.height = layers * (this.#bandRows + 1) - 1;
    const cells = Math.min(neurons, this.width * this.#bandRows);
    this.#cellOf = Uint32Array.from({ length: neurons }, (_, n) =>
      Math.floor((n * cells) / neurons),
    );
    this.#gain = Math.min(1, cells / neurons / FULL_SHARE);
    this.shares = new Float32Array(layers);
    this.#light = new Float32Array(this.width * this.height);
    this.#fired = new Uint16Array(this.width * this.height);
  }

  /** The share of all neurons that did not fire. */
  get skippedShare(): number {
    return 1 - this.shares.reduce((sum, share) => sum + share, 0) / this.layers;
  }

  /** Adds a token's neurons. */
  add({ nonZero }: ActivationCapture, isFading: boolean): void {
    const { layers, neurons } = this;
    const rowBytes = Math.ceil(neurons / 8);
    const cellOf = this.#cellOf;
    const cells = this.#fired.fill(0);
    for (let layer = 0; layer < layers; layer++) {
      const first = layer * (this.#bandRows + 1) * this.width;
      let fired = 0;
      for (let byte = 0; byte < rowBytes; byte++) {
        for (let bits = nonZero[layer * rowBytes + byte]; bits !== 0; bits &= bits - 1) {
          const neuron = byte * 8 + 31 - Math.clz32(bits & -bits);
          cells[first + cellOf[neuron]]++;
          fired++;
        }
      }
      const share = fired / neurons;
      this.shares[layer] = this.#isFirst ? share : this.shares[layer] * 0.8 + share * 0.2;
    }
    this.#isFirst = false;
    const light = this.#light;
    const fade = isFading ? FADE : 0;
    for (let i = 0; i < light.length; i++) {
      light[i] = Math.max(light[i] * fade, Math.min(1, cells[i] * this.#gain));
    }
  }

  /** Writes the light as the opacity of pixels of one colour, u8[height, width, 4]. */
  write(pixels: Uint8ClampedArray, [red, green, blue]: readonly number[]): void {
    for (let i = 0; i < this.#light.length; i++) {
      pixels[4 * i] = red;
      pixels[4 * i + 1] = green;
      pixels[4 * i + 2] = blue;
      pixels[4 * i + 3] = 255 * this.#light[i];
    }
  }
}
