/** Models for earlier AI SDKs: specification V3 of version 6, V2 of version 5. */
import { requireGlobal } from "../globals.js";
import type {
  CallOptions,
  FinishPart,
  FinishReason,
  GenerateResult,
  PlmEmbeddingModel,
  PlmLanguageModel,
  StreamPart,
  Usage,
  Warning,
} from "./specification.js";

/** A model whose specification has another name. */
export type V3<Model> = Omit<Model, "specificationVersion"> & {
  readonly specificationVersion: "v3";
};

/** Tokens, in V2. */
export interface UsageV2 {
  inputTokens: number | undefined;
  outputTokens: number | undefined;
  totalTokens: number | undefined;
  cachedInputTokens: number | undefined;
}

/** A warning, in V2. */
export type WarningV2 =
  | { type: "unsupported-setting"; setting: string; details?: string }
  | { type: "other"; message: string };

/** A result, in V2. */
export interface GenerateResultV2
  extends Omit<GenerateResult, "finishReason" | "usage" | "warnings"> {
  finishReason: FinishReason["unified"];
  usage: UsageV2;
  warnings: WarningV2[];
}

/** A part of a stream, in V2. */
export type StreamPartV2 =
  | Exclude<StreamPart, { type: "stream-start" | "finish" }>
  | { type: "stream-start"; warnings: WarningV2[] }
  | (Omit<FinishPart, "finishReason" | "usage"> & {
      finishReason: FinishReason["unified"];
      usage: UsageV2;
    });

/** A language model, in V2. */
export interface LanguageModelV2 {
  readonly specificationVersion: "v2";
  readonly provider: string;
  readonly modelId: string;
  readonly supportedUrls: Record<string, RegExp[]>;
  doGenerate(options: CallOptions): Promise<GenerateResultV2>;
  doStream(options: CallOptions): Promise<{ stream: ReadableStream<StreamPartV2> }>;
}

/** An embedding model, in V2. */
export type EmbeddingModelV2 = Omit<PlmEmbeddingModel, "specificationVersion"> & {
  readonly specificationVersion: "v2";
};

/** The model for AI SDK 6, whose V3 differs only in what a PLM does not return. */
export function v3<Model extends PlmLanguageModel | PlmEmbeddingModel>(model: Model): V3<Model> {
  return { ...model, specificationVersion: "v3" };
}

export function v2(model: PlmEmbeddingModel): EmbeddingModelV2;
export function v2(model: PlmLanguageModel): LanguageModelV2;
/** The model for AI SDK 5. */
export function v2(
  model: PlmLanguageModel | PlmEmbeddingModel,
): LanguageModelV2 | EmbeddingModelV2 {
  if ("doEmbed" in model) return { ...model, specificationVersion: "v2" };
  return {
    ...model,
    specificationVersion: "v2",
    async doGenerate(options) {
      const { finishReason, usage, warnings, ...rest } = await model.doGenerate(options);
      return {
        ...rest,
        finishReason: finishReason.unified,
        usage: usageV2(usage),
        warnings: warnings.map(warningV2),
      };
    },
    async doStream(options) {
      const { stream } = await model.doStream(options);
      const transform = (
        part: StreamPart,
        controller: TransformStreamDefaultController<StreamPartV2>,
      ): void => controller.enqueue(partV2(part));
      const Transform = requireGlobal("TransformStream");
      const mapped = new Transform<StreamPart, StreamPartV2>({ transform });
      return { stream: stream.pipeThrough(mapped) };
    },
  };
}

function partV2(part: StreamPart): StreamPartV2 {
  if (part.type === "stream-start") return { ...part, warnings: part.warnings.map(warningV2) };
  if (part.type !== "finish") return part;
  return { ...part, finishReason: part.finishReason.unified, usage: usageV2(part.usage) };
}

function usageV2({ inputTokens, outputTokens }: Usage): UsageV2 {
  const [input, output] = [inputTokens.total, outputTokens.total];
  return {
    inputTokens: input,
    outputTokens: output,
    totalTokens: input === undefined || output === undefined ? undefined : input + output,
    cachedInputTokens: inputTokens.cacheRead,
  };
}

function warningV2(warning: Warning): WarningV2 {
  if (warning.type === "other") return warning;
  const { feature: setting, details } = warning;
  return { type: "unsupported-setting", setting, ...(details !== undefined && { details }) };
}
