/** The parameters of a PLM in training: names, shapes, places, and how they begin. */
import type { PlmConfig } from "../model/config.js";

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

/** The parameters of a config. */
export function layoutParameters(config: PlmConfig): Parameters {
  const { vocabSize, hiddenSize, intermediateSize, numAttentionHeads: heads, kvLoraRank } = config;
  const { qkNopeHeadDim, qkRopeHeadDim, vHeadDim, numHiddenLayers } = config;
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
    const name = (part: string): string => `blk.${i}.${part}`;
    return {
      inputLayernorm: add(name("attn_norm"), 1, hiddenSize),
      qProj: add(name("attn_q"), heads * (qkNopeHeadDim + qkRopeHeadDim), hiddenSize),
      kvAProjWithMqa: add(name("attn_kv_a_mqa"), kvLoraRank + qkRopeHeadDim, hiddenSize),
      kvALayernorm: add(name("attn_kv_a_norm"), 1, kvLoraRank),
      kvBProj: add(name("attn_kv_b"), heads * (qkNopeHeadDim + vHeadDim), kvLoraRank),
      oProj: add(name("attn_output"), hiddenSize, heads * vHeadDim),
      postAttentionLayernorm: add(name("ffn_norm"), 1, hiddenSize),
      upProj: add(name("ffn_up"), intermediateSize, hiddenSize),
      downProj: add(name("ffn_down"), intermediateSize, hiddenSize, true),
    };
  });
  const norm = add("output_norm", 1, hiddenSize);
  return { embedTokens, layers, norm, all, length };
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
