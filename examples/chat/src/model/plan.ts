/** What a model's header says, and what memory it will take, before any of it is loaded. */
import { type Inspection, inspectModel, type LoadModelOptions, type ModelSource } from "plm-wasm";

export interface Plan {
  readonly name: string;
  readonly parameters: number;
  readonly layers: number;
  readonly contextLength: number;
  /** Of the file: the most that may be chosen. */
  readonly longestContext: number;
  readonly weightsBytes: number;
  readonly cacheBytes: number;
  readonly scratchBytes: number;
  readonly totalBytes: number;
  /** What was chosen so that it fits into this device: "cacheType: q8_0, ...". */
  readonly choices: readonly string[];
}

/** The context lengths to choose from. */
export function contextLengths(longest: number): number[] {
  const lengths = [256, 512, 1024, 2048, 4096, 8192, 16384].filter((length) => length < longest);
  return [...lengths, longest];
}

/** How the model is laid out: what is left open follows the device. */
export function layoutOptions(contextLength: number | undefined): LoadModelOptions {
  return { profile: "auto", ...(contextLength !== undefined && { contextLength }) };
}

/** Reads the header. Rejects as `inspectModel` does. */
export async function planOf(source: ModelSource, options: LoadModelOptions): Promise<Plan> {
  const { gguf, plan } = await inspectModel(source, options);
  const { config, memory, choices } = plan;
  return {
    name: String(gguf.metadata.get("general.name") ?? "PLM"),
    parameters: parametersOf(gguf),
    layers: config.numHiddenLayers,
    contextLength: plan.options.contextLength,
    longestContext: config.maxPositionEmbeddings,
    weightsBytes: memory.bytes("weights"),
    cacheBytes: memory.bytes("cache"),
    scratchBytes: memory.bytes("scratch"),
    totalBytes: memory.bytes(),
    choices: choices.map(({ option, value, reason }) => `${option}: ${value}, ${reason}`),
  };
}

function parametersOf({ tensors }: Inspection["gguf"]): number {
  let count = 0;
  for (const { shape } of tensors.values()) count += shape.reduce((product, n) => product * n, 1);
  return count;
}
