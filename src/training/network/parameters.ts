/** A model's parameters in training: names, shapes, places and initial values. */
import type { PlmConfig } from "../../model/config.js";
import {
  mapTable,
  type TensorSpec,
  type TensorTable,
  tensorName,
  tensorsOf,
} from "../../model/tensor-table.js";

/** One parameter tensor. */
export interface Parameter {
  /** As in GGUF files. */
  readonly name: string;
  /** [rows, cols] in memory; vectors have one row. */
  readonly rows: number;
  readonly cols: number;
  /** Whether it lies transposed: [inputs, outputs], neuron by neuron. */
  readonly transposed: boolean;
  /** Whether weight decay applies: to matrices, not to norms. */
  readonly decays: boolean;
  /** Whether its outputs are added to the residual stream. */
  readonly addsToResidual: boolean;
  /** The first element in the region of all parameters. */
  readonly offset: number;
}

/** All parameters; the output head is the embedding. */
export interface Parameters<Key extends string = never> {
  readonly embedTokens: Parameter;
  /** By name in the architecture's table. */
  readonly layers: readonly Readonly<Record<Key, Parameter>>[];
  readonly norm: Parameter;
  /** All parameters, in the order of their places. */
  readonly all: readonly Parameter[];
  /** Floats of the region, each tensor's place a multiple of 16. */
  readonly length: number;
}

/** The parameters of a model whose layers follow the table. */
export function layoutParameters<Key extends string>(
  config: PlmConfig,
  table: TensorTable<Key>,
): Parameters<Key> {
  const tensors = tensorsOf(table, config);
  const all: Parameter[] = [];
  let length = 0;
  const add = (spec: TensorSpec, layer?: number): Parameter => {
    const transposed = spec.layout === "slab";
    const [outputs, inputs] = spec.shape;
    const [rows, cols] = transposed ? [inputs, outputs] : [outputs, inputs];
    const { addsToResidual } = spec;
    const decays = spec.layout !== "vector";
    const name = tensorName(spec, layer);
    const parameter = { name, rows, cols, transposed, decays, addsToResidual, offset: length };
    length = Math.ceil((length + rows * cols) / 16) * 16;
    all.push(parameter);
    return parameter;
  };
  const embedTokens = add(tensors.embedTokens);
  const layers = Array.from({ length: config.numHiddenLayers }, (_, i) =>
    mapTable(tensors.layer, (spec) => add(spec, i)),
  );
  const norm = add(tensors.norm);
  return { embedTokens, layers, norm, all, length };
}

/** The matrices that forward multiplies by; slabs, already transposed, are used as they are. */
export function forwardMatrices({ all }: Parameters): Parameter[] {
  return all.filter(({ decays, transposed }) => decays && !transposed);
}

/**
 * Fills f32[length] with the initial values: norms 1, matrices normal with standard deviation
 * `initStd`; as in GPT-2, it is divided by sqrt(2 layers) for those that add to the residual
 * stream.
 */
export function initializeParameters(
  values: Float32Array,
  parameters: Parameters,
  initStd: number,
  normal: () => number,
): void {
  values.fill(0);
  const residual = 1 / Math.sqrt(2 * parameters.layers.length);
  for (const { rows, cols, offset, decays, addsToResidual } of parameters.all) {
    const part = values.subarray(offset, offset + rows * cols);
    if (!decays) {
      part.fill(1);
      continue;
    }
    const std = initStd * (addsToResidual ? residual : 1);
    for (let i = 0; i < part.length; i++) part[i] = std * normal();
  }
}
