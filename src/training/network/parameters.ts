/** The parameters of a PLM in training: names, shapes, places, and how they begin. */
import type { PlmConfig } from "../../model/config.js";

/** One parameter tensor. */
export interface Parameter {
  /** As in GGUF files. */
  readonly name: string;
  /** [rows, cols] as it lies in memory; vectors have one row. */
  readonly rows: number;
  readonly cols: number;
  /** Whether it lies transposed: [inputs, outputs], neuron by neuron. */
  readonly transposed: boolean;
  /** Whether weight decay applies: to matrices, not to norms. */
  readonly decays: boolean;
  /** The first element in the region of all parameters. */
  readonly offset: number;
}

/** A layer's parameters. */
export interface LayerParameters {
  readonly inputLayernorm: Parameter;
  readonly qProj: Parameter;
  readonly kvAProjWithMqa: Parameter;
  readonly kvALayernorm: Parameter;
  readonly kvBProj: Parameter;
  readonly oProj: Parameter;
  readonly postAttentionLayernorm: Parameter;
  readonly upProj: Parameter;
  /** [intermediateSize, hiddenSize]: a zero activation's row is not read. */
  readonly downProj: Parameter;
}

/** All parameters; the output head is the embedding. */
export interface Parameters {
  readonly embedTokens: Parameter;
  readonly layers: readonly LayerParameters[];
  readonly norm: Parameter;
  /** All of them, in the order of their places. */
  readonly all: readonly Parameter[];
  /** Floats of the region, each tensor's place a multiple of 16. */
  readonly length: number;
}

/** Shapes of a layer's parameters: those that are not PLM's. */
export type LayerShapes = Partial<Record<keyof LayerParameters, readonly [number, number]>>;

/** The parameters of a config; `others` are shapes that stand in place of PLM's. */
export function layoutParameters(config: PlmConfig, others: LayerShapes = {}): Parameters {
  const { vocabSize, hiddenSize, numHiddenLayers } = config;
  const all: Parameter[] = [];
  let length = 0;
  const add = (name: string, rows: number, cols: number, transposed = false): Parameter => {
    const parameter = {
      name: `${name}.weight`,
      rows,
      cols,
      transposed,
      decays: rows > 1,
      offset: length,
    };
    length = Math.ceil((length + rows * cols) / 16) * 16;
    all.push(parameter);
    return parameter;
  };
  const embedTokens = add("token_embd", vocabSize, hiddenSize);
  const layers = Array.from({ length: numHiddenLayers }, (_, i): LayerParameters => {
    const shapes = { ...layerShapes(config), ...others };
    const addPart = (part: string, key: keyof LayerParameters): Parameter =>
      add(`blk.${i}.${part}`, ...shapes[key], key === "downProj");
    return {
      inputLayernorm: addPart("attn_norm", "inputLayernorm"),
      qProj: addPart("attn_q", "qProj"),
      kvAProjWithMqa: addPart("attn_kv_a_mqa", "kvAProjWithMqa"),
      kvALayernorm: addPart("attn_kv_a_norm", "kvALayernorm"),
      kvBProj: addPart("attn_kv_b", "kvBProj"),
      oProj: addPart("attn_output", "oProj"),
      postAttentionLayernorm: addPart("ffn_norm", "postAttentionLayernorm"),
      upProj: addPart("ffn_up", "upProj"),
      downProj: addPart("ffn_down", "downProj"),
    };
  });
  const norm = add("output_norm", 1, hiddenSize);
  return { embedTokens, layers, norm, all, length };
}

function layerShapes(config: PlmConfig): Required<LayerShapes> {
  const { hiddenSize, intermediateSize, numAttentionHeads: heads, kvLoraRank } = config;
  const { qkNopeHeadDim, qkRopeHeadDim, vHeadDim } = config;
  return {
    inputLayernorm: [1, hiddenSize],
    qProj: [heads * (qkNopeHeadDim + qkRopeHeadDim), hiddenSize],
    kvAProjWithMqa: [kvLoraRank + qkRopeHeadDim, hiddenSize],
    kvALayernorm: [1, kvLoraRank],
    kvBProj: [heads * (qkNopeHeadDim + vHeadDim), kvLoraRank],
    oProj: [hiddenSize, heads * vHeadDim],
    postAttentionLayernorm: [1, hiddenSize],
    upProj: [intermediateSize, hiddenSize],
    downProj: [intermediateSize, hiddenSize],
  };
}

/** The matrices of a layer that forward multiplies by; the down-projection lies transposed. */
export function forwardMatrices(layer: LayerParameters): readonly Parameter[] {
  return [layer.qProj, layer.kvAProjWithMqa, layer.kvBProj, layer.oProj, layer.upProj];
}

/**
 * Fills f32[length] with what training begins with: norms 1, matrices normal with standard
 * deviation `initStd`, which is divided by sqrt(2 layers), as in GPT-2, for those that add to the
 * residual stream.
 */
export function initializeParameters(
  values: Float32Array,
  parameters: Parameters,
  initStd: number,
  normal: () => number,
): void {
  values.fill(0);
  const residual = 1 / Math.sqrt(2 * parameters.layers.length);
  for (const { name, rows, cols, offset, decays } of parameters.all) {
    const part = values.subarray(offset, offset + rows * cols);
    if (!decays) {
      part.fill(1);
      continue;
    }
    const adds = name.includes("attn_output") || name.includes("ffn_down");
    const std = initStd * (adds ? residual : 1);
    for (let i = 0; i < part.length; i++) part[i] = std * normal();
  }
}
