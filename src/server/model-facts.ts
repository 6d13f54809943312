/** What clients are told of a model: its size and its types. */
import type { Model } from "../generation/model.js";
import { eachWeight, tensorBytes } from "../model/weights.js";

/** A model in numbers. */
export interface ModelFacts {
  readonly parameters: number;
  /** Bytes of its tensors. */
  readonly bytes: number;
  /** The type that most of the matrices' bytes have, such as "Q8_0". */
  readonly quantization: string;
}

export function describeModel({ plan }: Model): ModelFacts {
  let parameters = 0;
  const sizes = new Map<string, number>();
  for (const { tensors, rows, cols } of eachWeight(plan.weights)) {
    const count = rows * cols;
    parameters += count;
    const { type } = tensors[0];
    sizes.set(type, (sizes.get(type) ?? 0) + count);
  }
  const [[quantization]] = [...sizes].sort(([, a], [, b]) => b - a);
  return { parameters, bytes: tensorBytes(eachWeight(plan.weights)), quantization };
}

/** A number of parameters as Ollama shows it: "1.8B". */
export function shortCount(count: number): string {
  const units: readonly (readonly [number, string])[] = [
    [1e9, "B"],
    [1e6, "M"],
    [1e3, "K"],
  ];
  const [size, unit] = units.find(([least]) => count >= least) ?? [1, ""];
  return `${Number((count / size).toPrecision(2))}${unit}`;
}
