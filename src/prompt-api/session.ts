/** A session of the Prompt API: calls one after another, events, aborts. */
import { abortable } from "../abortable.js";
import { requireGlobal } from "../globals.js";
import type { Context } from "./context.js";
import { domException, exceptionOf } from "./errors.js";
import { inputOf, type PromptInput } from "./input.js";
import { formatOf, withHint } from "./response-constraint.js";
import type { Sampling } from "./sampling.js";
import type {
  LanguageModel,
  LanguageModelPrompt,
  LanguageModelPromptOptions,
  SamplingMode,
} from "./specification.js";

/** Whoever has it may make sessions; programs cannot. */
export const KEY: unique symbol = Symbol("plm-wasm");

type Handler = ((event: Event) => unknown) | null;

const Target: typeof EventTarget = requireGlobal("EventTarget");

export class PromptSession extends Target implements LanguageModel {
  readonly #context: Context;
  readonly #sampling: Sampling;
  readonly #destruction = new (requireGlobal("AbortController"))();
  /** Settles when the calls so far are over. */
  #queue: Promise<unknown> = Promise.resolve();
  readonly #handlers = new Map<string, { call: Handler; listener: (event: Event) => void }>();

  constructor(key: symbol, context: Context, sampling: Sampling) {
    if (key !== KEY) throw new TypeError("Illegal constructor");
    super();
    this.#context = context;
    this.#sampling = sampling;
  }

  get contextUsage(): number {
    return this.#context.usage;
  }

  get contextWindow(): number {
    return this.#context.window;
  }

  get inputUsage(): number {
    return this.contextUsage;
  }

  get inputQuota(): number {
    return this.contextWindow;
  }

  get topK(): number {
    return this.#sampling.topK;
  }

  get temperature(): number {
    return this.#sampling.temperature;
  }

  get samplingMode(): SamplingMode | null {
    return this.#sampling.mode;
  }

  get oncontextoverflow(): Handler {
    return this.#handlers.get("contextoverflow")?.call ?? null;
  }

  set oncontextoverflow(handler: Handler) {
    this.#setHandler("contextoverflow", handler);
  }

  get onquotaoverflow(): Handler {
    return this.#handlers.get("quotaoverflow")?.call ?? null;
  }

  set onquotaoverflow(handler: Handler) {
    this.#setHandler("quotaoverflow", handler);
  }

  async prompt(
    input: LanguageModelPrompt,
    options: LanguageModelPromptOptions = {},
  ): Promise<string> {
    let text = "";
    await this.#answer(input, options, options.signal, (piece) => {
      text += piece;
    });
    return text;
  }

  promptStreaming(
    input: LanguageModelPrompt,
    options: LanguageModelPromptOptions = {},
  ): ReadableStream<string> {
    const cancelled = new (requireGlobal("AbortController"))();
    const { signal } = options;
    const onAbort = (): void => cancelled.abort(signal!.reason);
    if (signal?.aborted) onAbort();
    else signal?.addEventListener("abort", onAbort, { once: true });
    const start = (controller: ReadableStreamDefaultController<string>): void => {
      const enqueue = (piece: string): void => {
        if (!cancelled.signal.aborted) controller.enqueue(piece);
      };
      this.#answer(input, options, cancelled.signal, enqueue)
        .then(() => controller.close())
        .catch((error: unknown) => controller.error(error))
        .finally(() => signal?.removeEventListener("abort", onAbort));
    };
    const cancel = (reason: unknown): void => cancelled.abort(reason);
    return new (requireGlobal("ReadableStream"))<string>({ start, cancel });
  }

  async append(
    input: LanguageModelPrompt,
    options: { signal?: AbortSignal } = {},
  ): Promise<undefined> {
    return this.#run(options.signal, async (signal) => {
      const given = inputOf(input, this.#context.hasMessages);
      await this.#context.append(given, signal, () => this.#reportOverflow());
      return undefined;
    });
  }

  async measureContextUsage(
    input: LanguageModelPrompt,
    options: LanguageModelPromptOptions = {},
  ): Promise<number> {
    const format = formatOf(options);
    const given = inputOf(input, false);
    return this.#run(options.signal, async () =>
      this.#context.measure(withHint(given, format, options)),
    );
  }

  async measureInputUsage(
    input: LanguageModelPrompt,
    options: LanguageModelPromptOptions = {},
  ): Promise<number> {
    return this.measureContextUsage(input, options);
  }

  async clone(options: { signal?: AbortSignal } = {}): Promise<LanguageModel> {
    const Own = this.constructor as typeof PromptSession;
    return this.#run(options.signal, async () => {
      return new Own(KEY, this.#context.fork(), this.#sampling);
    });
  }

  destroy(): void {
    this.#end(domException("AbortError", "the session was destroyed"));
  }

  /** Destroys the session when the signal aborts. */
  endWith(signal: AbortSignal): void {
    signal.addEventListener("abort", () => this.#end(signal.reason), { once: true });
    if (signal.aborted) this.#end(signal.reason);
  }

  #end(reason: unknown): void {
    if (this.#destruction.signal.aborted) return;
    this.#destruction.abort(reason);
    // What runs ends first.
    this.#queue = this.#queue.then(() => this.#context.dispose());
  }

  async #answer(
    prompt: LanguageModelPrompt,
    options: LanguageModelPromptOptions,
    given: AbortSignal | undefined,
    onPiece: (piece: string) => void,
  ): Promise<void> {
    const format = formatOf(options);
    return this.#run(given, async (signal) => {
      const all: PromptInput = inputOf(prompt, this.#context.hasMessages);
      const onOverflow = (): void => this.#reportOverflow();
      const input = withHint(all, format, options);
      const pieces = this.#context.answer(input, { format, signal, onOverflow });
      for await (const piece of pieces) onPiece(piece);
    });
  }

  /** Runs a call after those before it; rejects at once when it is aborted. */
  async #run<T>(
    given: AbortSignal | undefined,
    call: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const controller = new (requireGlobal("AbortController"))();
    const sources = [this.#destruction.signal, ...(given === undefined ? [] : [given])];
    const listeners = sources.map((source) => {
      const listener = (): void => controller.abort(source.reason);
      if (source.aborted) listener();
      else source.addEventListener("abort", listener, { once: true });
      return () => source.removeEventListener("abort", listener);
    });
    const { signal } = controller;
    try {
      signal.throwIfAborted();
      const result = this.#queue.then(() => {
        signal.throwIfAborted();
        return call(signal);
      });
      this.#queue = result.catch(() => {});
      return await abortable(result, signal);
    } catch (error) {
      throw signal.aborted ? signal.reason : exceptionOf(error);
    } finally {
      for (const forget of listeners) forget();
    }
  }

  #reportOverflow(): void {
    const { Event } = globalThis;
    for (const type of ["contextoverflow", "quotaoverflow"]) this.dispatchEvent(new Event(type));
  }

  /** An event handler keeps its place among the listeners when it is exchanged. */
  #setHandler(type: string, given: Handler): void {
    const call = typeof given === "function" ? given : null;
    const known = this.#handlers.get(type);
    if (known !== undefined) {
      known.call = call;
      return;
    }
    const entry = {
      call,
      listener: (event: Event): void => {
        entry.call?.call(this, event);
      },
    };
    this.#handlers.set(type, entry);
    this.addEventListener(type, entry.listener);
  }
}
