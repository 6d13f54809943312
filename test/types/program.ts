// A program that is only type-checked: what callers write, and what they get.
import {
  type ByteSource,
  type Conversation,
  type KernelsBinary,
  type LoadModelOptions,
  type LoadOptions,
  loadModel,
  type Model,
  type ModelSource,
  openGguf,
  PlmError,
  renderChat,
  type Session,
  type ThreadScript,
  type ThreadWorker,
  Tokenizer,
} from "plm-wasm";
import * as kernels from "plm-wasm/kernels";
import relaxed from "plm-wasm/relaxed.wasm";
import { createHandler, type Handler, type HandlerOptions } from "plm-wasm/server";
import simd from "plm-wasm/simd.wasm";
import "plm-wasm/thread";
import "plm-wasm/worker";

declare const bytes: Uint8Array;
declare const worker: ThreadWorker;
declare const request: Request;

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
  const served: HandlerOptions = { model, apiKeys: ["key"], log: ({ status }) => status.toFixed() };
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
