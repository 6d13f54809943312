/** A small model of several layers, for tests that stream them. */
import { ODD_DIMS, type TinyDims, tinyModel, tinyTokens } from "../../model/support/tiny.js";

export const LAYERS = 5;
export const DIMS: TinyDims = {
  ...ODD_DIMS,
  hiddenSize: 160,
  intermediateSize: 416,
  numHiddenLayers: LAYERS,
};
export const FILE: Uint8Array<ArrayBuffer> = tinyModel({ dims: DIMS, type: "Q8_0" });
export const PROMPT: number[] = tinyTokens(40, 1);
