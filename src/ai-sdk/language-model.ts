/** A PLM as a language model of the AI SDK. */
import { prepareChat } from "../generation/chat.js";
import type { Model } from "../generation/model.js";
import { requireGlobal } from "../globals.js";
import { failedFinish, partsOf } from "./answer.js";
import { chatOptionsOf } from "./call-options.js";
import { messagesOf } from "./prompt.js";
import type {
  CallOptions,
  Content,
  FinishPart,
  PlmLanguageModel,
  ResponseMetadata,
  StreamPart,
  Warning,
} from "./specification.js";

/** What a model is made with. */
export interface LanguageModelParts {
  readonly provider: string;
  readonly modelId: string;
  /** The model, loaded at the first call. */
  readonly load: () => Promise<Model>;
  readonly generateId: () => string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** An answer that has begun: nothing is evaluated before its parts are read. */
interface Answer {
  readonly warnings: Warning[];
  readonly response: ResponseMetadata;
  readonly parts: AsyncGenerator<StreamPart, void>;
}

/** The language model. */
export function createLanguageModel(parts: LanguageModelParts): PlmLanguageModel {
  const { provider, modelId } = parts;
  return {
    specificationVersion: "v4",
    provider,
    modelId,
    supportedUrls: {},
    async doGenerate(options) {
      const { warnings, response, parts: all } = await begin(parts, options);
      const content: Content[] = [];
      let finish: FinishPart | undefined;
      for await (const part of all) {
        if (part.type === "text-start") content.push({ type: "text", text: "" });
        if (part.type === "text-delta") (content.at(-1) as { text: string }).text += part.delta;
        if (part.type === "tool-call") content.push(part);
        if (part.type === "finish") finish = part;
      }
      const { finishReason, usage, providerMetadata = {} } = finish!;
      return { content, finishReason, usage, providerMetadata, response, warnings };
    },
    async doStream(options) {
      const answer = await begin(parts, options);
      const { abortSignal: signal } = options;
      return { stream: streamOf(allParts(answer, signal), signal) };
    },
  };
}

/** Throws for a prompt or an option that is wrong. */
async function begin(
  { load, modelId, generateId, now }: LanguageModelParts,
  options: CallOptions,
): Promise<Answer> {
  const warnings: Warning[] = [];
  const messages = messagesOf(options.prompt, warnings);
  const chatOptions = chatOptionsOf(options, warnings);
  const model = await load();
  options.abortSignal?.throwIfAborted();
  const chat = prepareChat(model.tokenizer, messages, chatOptions);
  const generation = model.generate(chat.tokens, chat.options);
  const hasRaw = options.includeRawChunks ?? false;
  return {
    warnings,
    response: { id: generateId(), timestamp: new Date(now()), modelId },
    parts: partsOf(generation, { mayCall: chat.mayCall, hasRaw }),
  };
}

/** All parts of a stream. An abort rejects; another failure is a part, and the stream ends. */
async function* allParts(
  { warnings, response, parts }: Answer,
  signal: AbortSignal | undefined,
): AsyncGenerator<StreamPart, void> {
  yield { type: "stream-start", warnings };
  yield { type: "response-metadata", ...response };
  try {
    yield* parts;
  } catch (error) {
    if (signal?.aborted) throw error;
    yield { type: "error", error };
    yield failedFinish();
  }
}

/** A stream that does work when it is read; an abort ends it even if nobody does. */
function streamOf(
  parts: AsyncGenerator<StreamPart, void>,
  signal: AbortSignal | undefined,
): ReadableStream<StreamPart> {
  let onAbort = (): void => {};
  const forget = (): void => signal?.removeEventListener("abort", onAbort);
  const start = (controller: ReadableStreamDefaultController<StreamPart>): void => {
    onAbort = () => {
      controller.error(signal!.reason);
      // What it is doing ends with the signal too.
      parts.return().catch(() => {});
    };
    signal?.addEventListener("abort", onAbort, { once: true });
  };
  const pull = async (controller: ReadableStreamDefaultController<StreamPart>): Promise<void> => {
    const { done, value } = await parts.next();
    if (signal?.aborted) return;
    if (!done) controller.enqueue(value);
    else {
      forget();
      controller.close();
    }
  };
  const cancel = async (): Promise<void> => {
    forget();
    await parts.return();
  };
  const Stream = requireGlobal("ReadableStream");
  return new Stream<StreamPart>({ start, pull, cancel }, { highWaterMark: 0 });
}
