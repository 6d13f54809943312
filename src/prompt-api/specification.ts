/** The Prompt API's interfaces, as far as they are for texts. */

/** What an event listener may be. */
export type Listener = ((event: { readonly type: string }) => void) | { handleEvent: unknown };

/** An event target, for programs whose libraries do not declare it. */
export interface Target {
  // biome-ignore lint/suspicious/noExplicitAny: listeners take events of any kind, as in "dom"
  addEventListener(type: string, listener: any, options?: any): void;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  removeEventListener(type: string, listener: any, options?: any): void;
}

/** Whether a session can be created. */
export type Availability = "unavailable" | "downloadable" | "downloading" | "available";

/** A part of a message; only texts are supported. */
export interface LanguageModelMessageContent {
  type: string;
  value: unknown;
}

/** A message. A last one of the assistant with `prefix` is the beginning of the answer. */
export interface LanguageModelMessage {
  role: "system" | "user" | "assistant";
  content: string | readonly LanguageModelMessageContent[];
  prefix?: boolean;
}

/** A message of the user, or several messages. */
export type LanguageModelPrompt = string | readonly LanguageModelMessage[];

/** A tool that the session calls by itself. */
export interface LanguageModelTool {
  name: string;
  description: string;
  /** JSON Schema of its arguments, an object. */
  inputSchema: object;
  /** Resolves to what the model shall read. */
  // biome-ignore lint/suspicious/noExplicitAny: arguments follow `inputSchema`
  execute: (input: any) => string | PromiseLike<string>;
}

/** Kinds of content and languages that a session must know. */
export interface LanguageModelExpected {
  type: string;
  languages?: readonly string[];
}

/** How varied answers are, from a temperature of 0 up. */
export type SamplingMode =
  | "most-predictable"
  | "predictable"
  | "slightly-predictable"
  | "balanced"
  | "slightly-creative"
  | "creative"
  | "most-creative";

/** What a session must know and do. */
export interface LanguageModelCreateCoreOptions {
  /** At least 1; instead of a sampling mode. */
  topK?: number;
  /** At least 0; instead of a sampling mode. */
  temperature?: number;
  /** Default "balanced". */
  samplingMode?: SamplingMode;
  expectedInputs?: readonly LanguageModelExpected[];
  expectedOutputs?: readonly LanguageModelExpected[];
  tools?: readonly LanguageModelTool[];
}

/** How a session is created. */
export interface LanguageModelCreateOptions extends LanguageModelCreateCoreOptions {
  /** Ends the creation, and later the session. */
  signal?: AbortSignal;
  /** Gets a target of `downloadprogress` events, whose `loaded` goes from 0 to 1. */
  monitor?: (monitor: Target) => void;
  /** The first messages, which stay when others are left out. */
  initialPrompts?: readonly LanguageModelMessage[];
}

/** How a prompt is answered. */
export interface LanguageModelPromptOptions {
  /** A JSON Schema or a RegExp that the answer follows. */
  responseConstraint?: object;
  /** Whether the constraint is kept from the model's input, which has it by default. */
  omitResponseConstraintInput?: boolean;
  signal?: AbortSignal;
}

/** The least and greatest values of options. */
export interface LanguageModelParams {
  readonly defaultTopK: number;
  readonly maxTopK: number;
  readonly defaultTemperature: number;
  readonly maxTemperature: number;
}

/** A session. */
export interface LanguageModel extends Target {
  /** Answers a prompt. */
  prompt(input: LanguageModelPrompt, options?: LanguageModelPromptOptions): Promise<string>;
  /** The answer as a stream of its pieces. */
  promptStreaming(
    input: LanguageModelPrompt,
    options?: LanguageModelPromptOptions,
  ): ReadableStream<string>;
  /** Takes messages in, without an answer. */
  append(input: LanguageModelPrompt, options?: { signal?: AbortSignal }): Promise<undefined>;
  /** The tokens that a prompt would add. */
  measureContextUsage(
    input: LanguageModelPrompt,
    options?: LanguageModelPromptOptions,
  ): Promise<number>;
  /** Tokens of the messages so far. */
  readonly contextUsage: number;
  /** Tokens that the session has room for. */
  readonly contextWindow: number;
  /** Called when old messages are left out. */
  // biome-ignore lint/suspicious/noExplicitAny: as in "dom"
  oncontextoverflow: ((event: any) => unknown) | null;
  /** The older name of `measureContextUsage`. */
  measureInputUsage(
    input: LanguageModelPrompt,
    options?: LanguageModelPromptOptions,
  ): Promise<number>;
  /** The older name of `contextUsage`. */
  readonly inputUsage: number;
  /** The older name of `contextWindow`. */
  readonly inputQuota: number;
  /** The older name of `oncontextoverflow`, of the event "quotaoverflow". */
  // biome-ignore lint/suspicious/noExplicitAny: as in "dom"
  onquotaoverflow: ((event: any) => unknown) | null;
  readonly topK: number;
  readonly temperature: number;
  /** Null where `topK` or `temperature` was given. */
  readonly samplingMode: SamplingMode | null;
  /** A session with the same messages, which goes its own way. */
  clone(options?: { signal?: AbortSignal }): Promise<LanguageModel>;
  /** Ends the session and what it does. */
  destroy(): void;
}

/** What a page finds as `LanguageModel`. */
export interface LanguageModelConstructor {
  readonly prototype: LanguageModel;
  create(options?: LanguageModelCreateOptions): Promise<LanguageModel>;
  availability(options?: LanguageModelCreateCoreOptions): Promise<Availability>;
  params(): Promise<LanguageModelParams>;
}
