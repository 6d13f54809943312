/**
 * What the integration reads and returns of the AI SDK's specification V4 (`@ai-sdk/provider`), so
 * that programs need no types of it. A test compares both.
 */

/** What JSON can hold. */
export type JsonValue = null | string | number | boolean | JsonValue[] | JsonObject;

/** An object of JSON. */
export type JsonObject = { [key: string]: JsonValue };

/** What providers add to results, by their names. */
export type ProviderRecord = Record<string, JsonObject>;

/** What was asked for and is not done, or not as asked. */
export type Warning =
  | { type: "unsupported"; feature: string; details?: string }
  | { type: "other"; message: string };

/** A message of the prompt. Parts may be of other types, which are refused or left out. */
export type PromptMessage =
  | { role: "system"; content: string }
  | { role: "user"; content: readonly PromptPart[] }
  | { role: "assistant"; content: readonly PromptPart[] }
  | { role: "tool"; content: readonly PromptPart[] };

/** A part of a message. */
export interface PromptPart {
  readonly type: string;
  readonly text?: string;
  readonly mediaType?: string;
  readonly toolCallId?: string;
  readonly toolName?: string;
  readonly input?: unknown;
  readonly output?: ToolOutput;
}

/** The result of a tool. */
export interface ToolOutput {
  readonly type: string;
  readonly value?: unknown;
  readonly reason?: string;
}

/** A tool of a call; those of type "provider" are left out. */
export interface CallTool {
  readonly type: string;
  readonly name: string;
  readonly id?: string;
  readonly description?: string;
  readonly inputSchema?: object | boolean;
  readonly inputExamples?: readonly unknown[];
  readonly strict?: boolean;
}

/** Which tools are called. */
export type CallToolChoice =
  | { type: "auto" | "none" | "required" }
  | { type: "tool"; toolName: string };

/** The options of a call of a language model. */
export interface CallOptions {
  prompt: readonly PromptMessage[];
  maxOutputTokens?: number;
  temperature?: number;
  stopSequences?: readonly string[];
  topP?: number;
  topK?: number;
  presencePenalty?: number;
  frequencyPenalty?: number;
  responseFormat?: { type: "text" } | { type: "json"; schema?: object | boolean };
  seed?: number;
  tools?: readonly CallTool[];
  toolChoice?: CallToolChoice;
  includeRawChunks?: boolean;
  reasoning?: string;
  abortSignal?: AbortSignal;
  providerOptions?: Readonly<Record<string, object>>;
}

/** Why an answer ended. */
export interface FinishReason {
  unified: "stop" | "length" | "tool-calls" | "error" | "other";
  raw: string | undefined;
}

/** Tokens of the prompt and of the answer. */
export interface Usage {
  inputTokens: {
    total: number | undefined;
    noCache: number | undefined;
    cacheRead: number | undefined;
    cacheWrite: number | undefined;
  };
  outputTokens: {
    total: number | undefined;
    text: number | undefined;
    reasoning: number | undefined;
  };
}

/** A call of a tool; its input is JSON. */
export interface ToolCallContent {
  type: "tool-call";
  toolCallId: string;
  toolName: string;
  input: string;
}

/** A part of an answer. */
export type Content = { type: "text"; text: string } | ToolCallContent;

/** What identifies an answer. */
export interface ResponseMetadata {
  id: string;
  timestamp: Date;
  modelId: string;
}

/** A whole answer. */
export interface GenerateResult {
  content: Content[];
  finishReason: FinishReason;
  usage: Usage;
  providerMetadata: ProviderRecord;
  response: ResponseMetadata;
  warnings: Warning[];
}

/** The end of a stream. */
export interface FinishPart {
  type: "finish";
  finishReason: FinishReason;
  usage: Usage;
  providerMetadata?: ProviderRecord;
}

/** A part of a stream. */
export type StreamPart =
  | { type: "stream-start"; warnings: Warning[] }
  | ({ type: "response-metadata" } & ResponseMetadata)
  | { type: "text-start" | "text-end"; id: string }
  | { type: "text-delta"; id: string; delta: string }
  | { type: "tool-input-start"; id: string; toolName: string }
  | { type: "tool-input-delta"; id: string; delta: string }
  | { type: "tool-input-end"; id: string }
  | ToolCallContent
  | { type: "raw"; rawValue: unknown }
  | { type: "error"; error: unknown }
  | FinishPart;

/** A language model of the AI SDK. */
export interface PlmLanguageModel {
  readonly specificationVersion: "v4";
  readonly provider: string;
  readonly modelId: string;
  readonly supportedUrls: Record<string, RegExp[]>;
  doGenerate(options: CallOptions): Promise<GenerateResult>;
  doStream(options: CallOptions): Promise<{ stream: ReadableStream<StreamPart> }>;
}

/** The options of a call of an embedding model. */
export interface EmbedOptions {
  values: readonly string[];
  dimensions?: number;
  abortSignal?: AbortSignal;
}

/** Embeddings in the order of the values. */
export interface EmbedResult {
  embeddings: number[][];
  usage: { tokens: number };
  warnings: Warning[];
}

/** An embedding model of the AI SDK. */
export interface PlmEmbeddingModel {
  readonly specificationVersion: "v4";
  readonly provider: string;
  readonly modelId: string;
  readonly maxEmbeddingsPerCall: number;
  readonly supportsParallelCalls: boolean;
  doEmbed(options: EmbedOptions): Promise<EmbedResult>;
}
