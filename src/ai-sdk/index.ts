/** plm-wasm/ai-sdk: a PLM as a provider of the AI SDK, specification V4. */
import "../web-types.js";
import { checkOptions } from "../brands.js";
import { kindOf } from "../describe.js";
import { invalidArgument } from "../errors.js";
import type { Model } from "../generation/model.js";
import { createCallId } from "../generation/tool-calls/call-id.js";
import { createEmbeddingModel } from "./embedding-model.js";
import { noSuchModel } from "./errors.js";
import { createLanguageModel } from "./language-model.js";
import type { PlmEmbeddingModel, PlmLanguageModel } from "./specification.js";

export type { PlmProviderOptions } from "./call-options.js";
export {
  type EmbeddingModelV2,
  type GenerateResultV2,
  type LanguageModelV2,
  type StreamPartV2,
  type UsageV2,
  type V3,
  v2,
  v3,
  type WarningV2,
} from "./earlier.js";
export type {
  CallOptions,
  CallTool,
  CallToolChoice,
  Content,
  EmbedOptions,
  EmbedResult,
  FinishPart,
  FinishReason,
  GenerateResult,
  JsonObject,
  JsonValue,
  PlmEmbeddingModel,
  PlmLanguageModel,
  PromptMessage,
  PromptPart,
  ProviderRecord,
  ResponseMetadata,
  StreamPart,
  ToolCallContent,
  ToolOutput,
  Usage,
  Warning,
} from "./specification.js";

/** What a provider is made with. */
export interface PlmProviderSettings {
  /** The model, a promise of it, or a function that loads it at the first call. */
  model: Model | PromiseLike<Model> | (() => Model | PromiseLike<Model>);
  /** The provider's name in results. Default "plm". */
  name?: string;
  /** Ids of responses. Default: random. */
  generateId?: () => string;
  /** Milliseconds since 1970. Default: Date.now. */
  now?: () => number;
}

/** A provider of one model, whose id is whatever results shall call it; default "plm". */
export interface PlmProvider {
  (modelId?: string): PlmLanguageModel;
  readonly specificationVersion: "v4";
  languageModel(modelId?: string): PlmLanguageModel;
  embeddingModel(modelId?: string): PlmEmbeddingModel;
  /** Throws NoSuchModelError. */
  imageModel(modelId: string): never;
}

/**
 * A provider for the AI SDK:
 *
 *     const plm = createPlm({ model: await loadModel("PLM-1.8B-Instruct-Q8_0.gguf") });
 *     const { text } = await generateText({ model: plm(), prompt: "Why is the sky blue?" });
 *
 * Throws INVALID_ARGUMENT for settings without a model.
 */
export function createPlm(settings: PlmProviderSettings): PlmProvider {
  checkOptions(settings);
  const { model, name: provider = "plm", now = Date.now } = settings;
  const { generateId = () => createCallId().replace("call", "plm") } = settings;
  const isModel = (typeof model === "object" && model !== null) || typeof model === "function";
  if (!isModel) {
    throw invalidArgument("model", "a model, or a function that loads it", kindOf(model));
  }
  const load = once(async () => (typeof model === "function" ? model() : model));
  const languageModel = (modelId = "plm"): PlmLanguageModel =>
    createLanguageModel({ provider, modelId, load, generateId, now });
  const embeddingModel = (modelId = "plm"): PlmEmbeddingModel =>
    createEmbeddingModel({ provider, modelId, load });
  const imageModel = (modelId: string): never => {
    throw noSuchModel(modelId, "imageModel");
  };
  const specificationVersion = "v4" as const;
  const members = { specificationVersion, languageModel, embeddingModel, imageModel };
  return Object.assign((modelId?: string) => languageModel(modelId), members);
}

/** Calls a function at the first call, and again after a failure. */
function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loading: Promise<T> | undefined;
  return () => {
    loading ??= load().catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    return loading;
  };
}
