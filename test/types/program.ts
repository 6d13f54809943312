// A program that is only type-checked: what callers write, and what they get.
import {
  type ActivationCapture,
  type ByteSource,
  type ChatMessage,
  type Conversation,
  type FunctionTool,
  type KernelsBinary,
  type LoadModelOptions,
  type LoadOptions,
  loadModel,
  type Model,
  type ModelSource,
  openGguf,
  PlmError,
  type ResponseFormat,
  renderChat,
  type Session,
  type ThreadScript,
  type ThreadWorker,
  Tokenizer,
  type ToolCall,
  ToolCallParser,
} from "plm-wasm";
import { createPlm, type PlmProviderOptions } from "plm-wasm/ai-sdk";
import * as kernels from "plm-wasm/kernels";
import { createLanguageModel, type LanguageModelConstructor } from "plm-wasm/prompt-api";
import { createRedisSessions, type RedisClient, type SessionStore } from "plm-wasm/redis";
import relaxed from "plm-wasm/relaxed.wasm";
import { createHandler, type Handler, type HandlerOptions } from "plm-wasm/server";
import simd from "plm-wasm/simd.wasm";
import "plm-wasm/thread";
import "plm-wasm/worker";

declare const bytes: Uint8Array;
declare const worker: ThreadWorker;
declare const request: Request;
declare const redis: RedisClient;

const scripts: ThreadScript[] = ["plm-thread.js", () => worker];
const options: LoadOptions = { threads: 2, wasm: simd, threadScript: scripts[0] as ThreadScript };
const inWorkers: LoadModelOptions[] = [
  { ...options, worker: true },
  ...scripts.map((script) => ({ worker: script })),
];
const binaries: KernelsBinary[] = [simd, relaxed];
const sources: ModelSource[] = ["model.gguf", bytes, [bytes]];
const reader: ByteSource = {
  name: "mine",
  size: 4,
  sequential: false,
  read: async (_offset, target) => target.length,
  close: async () => undefined,
};

export async function use(): Promise<string> {
  const model: Model = await loadModel(sources[0] as ModelSource, options);
  const ids: ArrayLike<number> = model.tokenizer.encode("Hi");
  const session: Session = model.createSession();
  const logits: Float32Array = await session.evaluate(ids);
  const saved: Uint8Array = await session.fork().save();
  const restored: Session = await model.restoreSession(saved);
  const isLocked: boolean = restored.saveStream().locked;
  if (isLocked) restored.dispose();
  const conversation: Conversation = await model.restoreConversation(saved);
  for await (const piece of conversation.fork().ask("Hi")) piece.trim();
  for await (const piece of model.generate("Hi", { maxTokens: logits.length })) piece.trim();
  const failure: Error | undefined = model.threadFailure;
  if (failure) throw new PlmError("INVALID_ARGUMENT", failure.message, { cause: failure });
  const { layers, nonZero }: ActivationCapture = await model.captureActivations();
  const sessions: SessionStore = createRedisSessions({ redis, ttlSeconds: layers });
  const turn = await sessions.open("mine", { waitMs: nonZero.length });
  if (turn.saved) (await model.restoreSession(turn.saved)).dispose();
  await turn.save(conversation);
  const log: HandlerOptions["log"] = ({ status, session }) => session ?? status.toFixed();
  const served: HandlerOptions = { model, apiKeys: ["key"], sessions, log };
  const handler: Handler = createHandler(served);
  const response: Response = await handler(request);
  if (response.status > 500) await handler.close();
  for (const each of inWorkers) (await loadModel(bytes, each)).dispose();
  model.dispose();
  const gguf = await openGguf([reader]);
  const tokenizer: Tokenizer = Tokenizer.fromMetadata(gguf.metadata);
  const loaded = await kernels.loadKernels(new kernels.MemoryPlan().allocate(), {
    binary: binaries[0] as KernelsBinary,
  });
  const copy: Uint8Array = kernels.kernelsBytes(loaded.variant);
  return renderChat("", [{ role: "user", content: tokenizer.decode([copy.length]) }]);
}

export async function useTools(model: Model): Promise<ToolCall[]> {
  const tools: FunctionTool[] = [{ type: "function", function: { name: "now", parameters: {} } }];
  const responseFormat: ResponseFormat = { type: "json_schema", schema: { type: "object" } };
  const messages: ChatMessage[] = [{ role: "user", content: "Hi" }];
  const options = { tools, toolChoice: "auto", parallelToolCalls: false, responseFormat } as const;
  const { text, toolCalls = [] } = await model.chat(messages, options).result();
  messages.push({ role: "assistant", content: text, tool_calls: toolCalls });
  const parser = new ToolCallParser();
  for (const event of [...parser.push(text), ...parser.end()]) {
    if (event.type === "call") toolCalls.push(event.call);
  }
  return toolCalls;
}

export async function useIntegrations(model: Model): Promise<string> {
  const plm = createPlm({ model: () => model });
  const options: PlmProviderOptions = { minP: 0.1 };
  const prompt = [{ role: "user", content: [{ type: "text", text: "Hi" }] } as const];
  const call = { prompt, providerOptions: { plm: options } };
  const { content, usage } = await plm("mine").doGenerate(call);
  const part = content[0];
  const { stream } = await plm.languageModel().doStream({ prompt });
  const { embeddings } = await plm.embeddingModel().doEmbed({ values: ["Hi"] });
  const Built: LanguageModelConstructor = createLanguageModel({
    model: ({ onProgress }) => loadModel(bytes, { onProgress }),
  });
  const session = await Built.create({ temperature: 1, topK: 3 });
  session.oncontextoverflow = () => session.destroy();
  const answer: string = await session.prompt("Hi", { responseConstraint: /a/ });
  const pieces: ReadableStream<string> = session.promptStreaming(answer);
  if (stream.locked || pieces.locked || embeddings.length === usage.outputTokens.total) return "";
  return part?.type === "text" ? part.text : answer;
}
