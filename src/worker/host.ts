/** A model in its worker: does what the program calls for, and answers. */
import platform from "#platform";
import { openModel } from "../checkpoint/open-model.js";
import { disposedModel, disposedSession } from "../engine/disposed.js";
import { type LoadedPlm, loadPlm } from "../engine/load.js";
import type { Session, StartedSave } from "../engine/session.js";
import type { ByteSource } from "../format/byte-source.js";
import { requireGlobal } from "../globals.js";
import type {
  Call,
  FromWorker,
  Loaded,
  Notice,
  SentLoadOptions,
  SessionState,
  ToWorker,
  Word,
} from "../remote/protocol.js";
import { sendError } from "../remote/sent-error.js";
import type { SentSource } from "../remote/sent-source.js";
import { closeSources, finishSources, openSources, openWhole } from "../sources/source.js";
import { Tokenizer } from "../tokenizer/tokenizer.js";
import { Loop } from "./loop.js";
import type { Port } from "./port.js";
import { ProxiedReads } from "./proxied-reads.js";

/** A call that is under way. */
interface Running {
  readonly session: number | undefined;
  readonly abort: AbortController;
  readonly loop: Loop | undefined;
}

export class Host {
  readonly #port: Port;
  readonly #reads: ProxiedReads;
  readonly #running = new Map<number, Running>();
  readonly #sessions = new Map<number, Session>();
  readonly #saves = new Map<number, StartedSave | { readonly error: unknown }>();
  readonly #streams = new Map<number, ReadableStreamDefaultReader<Uint8Array>>();
  #model: LoadedPlm | undefined;
  #tokenizer: Tokenizer | undefined;
  #isOver = false;

  constructor(port: Port) {
    this.#port = port;
    this.#reads = new ProxiedReads((message) => port.post(message));
  }

  receive(message: ToWorker): void {
    if ("notice" in message) this.#note(message.notice);
    else if ("read" in message) this.#reads.receive(message);
    else if ("word" in message) this.#hear(message.id, message.word);
    else void this.#answer(message.id, message.call);
  }

  #hear(id: number, word: Word): void {
    const running = this.#running.get(id);
    if (word.name === "abort") running?.abort.abort();
    else if (word.name === "taken") running?.loop?.allow(word.count);
    else running?.loop?.stop();
  }

  #note(notice: Notice): void {
    switch (notice.name) {
      case "create":
        this.#sessions.set(notice.session, this.#live().createSessionUnchecked());
        break;
      case "fork":
        this.#sessions.set(notice.session, this.#session(notice.from).fork());
        break;
      case "truncate":
        this.#sessions.get(notice.session)?.truncate(notice.length);
        break;
      case "dispose":
        this.#dispose(notice.session);
        break;
      case "startSave":
        this.#saves.set(notice.save, this.#startSave(notice.session, notice.messages));
        break;
      case "endSave":
        this.#endSave(notice.save);
        break;
      case "end":
        this.#end();
    }
  }

  async #answer(id: number, call: Call): Promise<void> {
    const abort = new (requireGlobal("AbortController"))();
    const loop = call.name === "generate" ? new Loop(call.loop, abort.signal) : undefined;
    const session = "session" in call ? call.session : undefined;
    this.#running.set(id, { session, abort, loop });
    let answer: FromWorker;
    let transfer: ArrayBuffer[] = [];
    try {
      const result = await this.#do(id, call, abort.signal, loop);
      // Rows, and the bytes of a save, in memory of their own.
      if (ArrayBuffer.isView(result)) transfer = [result.buffer as ArrayBuffer];
      answer = { id, result };
    } catch (error) {
      answer = { id, error: sendError(error) };
    }
    this.#running.delete(id);
    this.#post({ ...answer, ...this.#stateOf(session) }, transfer);
  }

  async #do(id: number, call: Call, signal: AbortSignal, loop?: Loop): Promise<unknown> {
    switch (call.name) {
      case "load":
        return this.#load(id, call.source, call.options, signal);
      case "restore":
        return this.#restore(id, call.session, call.source, signal);
      case "evaluate": {
        const { kind, choice, phase, step } = call.evaluation;
        const options = { [kind]: choice, phase, chunkSize: step, signal };
        return this.#session(call.session).evaluate(call.tokens, options);
      }
      case "generate": {
        const onUpdate = (update: unknown): void => this.#post({ id, update } as FromWorker);
        return loop!.run(this.#session(call.session), this.#tokenizer!, onUpdate);
      }
      case "saveBytes":
        return this.#save(call.save).bytes(signal);
      case "savePiece":
        return this.#savePiece(call.save);
      case "readWeights":
        return this.#live().readWeights();
      case "captureActivations":
        return this.#live().captureActivations({ signal });
    }
  }

  async #load(
    id: number,
    source: SentSource,
    options: SentLoadOptions,
    signal: AbortSignal,
  ): Promise<Loaded> {
    const sources = await this.#open(id, source, signal, openWhole);
    let isHeld = false;
    try {
      const gguf = await openModel(sources, options, signal);
      const onProgress = (progress: unknown): void => this.#post({ id, progress } as FromWorker);
      const model = await loadPlm(gguf, { ...options, signal, onProgress }, () => {
        this.#tokenizer = Tokenizer.fromMetadata(gguf.metadata);
      });
      this.#model = model;
      await finishSources(sources, signal);
      isHeld = model.takeSources(() => closeSources(sources));
      const { threadFailure, variant, kernelRates, plan } = model;
      return {
        gguf: { ...gguf, sources: [] },
        options: plan.options,
        choices: plan.choices,
        isReading: isHeld,
        ...{ variant, kernelRates, threadFailure: threadFailure?.message },
      };
    } finally {
      if (!isHeld) await closeSources(sources);
    }
  }

  async #restore(
    id: number,
    number: number,
    source: SentSource,
    signal: AbortSignal,
  ): Promise<{ tokens: Uint32Array; messages: string | undefined }> {
    const sources = await this.#open(id, source, signal, openSources);
    try {
      const { session, messages } = await this.#live().restoreSession(sources, { signal });
      this.#sessions.set(number, session);
      return { tokens: session.tokens, messages };
    } finally {
      await closeSources(sources);
    }
  }

  /** Sources that `open` opens here, or that are read through the program. */
  async #open(
    id: number,
    source: SentSource,
    signal: AbortSignal,
    open: typeof openSources,
  ): Promise<ByteSource[]> {
    if ("opened" in source) return source.opened.map((each) => this.#reads.source(id, each));
    const { openable, options } = source;
    const places = openable.map((each) => {
      if ("place" in each) return each.place;
      return "url" in each ? new URL(each.url) : each.blob;
    });
    return open(places.length === 1 ? places[0] : places, signal, options);
  }

  #startSave(session: number, messages?: string): StartedSave | { readonly error: unknown } {
    try {
      return this.#session(session).startSave(messages);
    } catch (error) {
      return { error };
    }
  }

  #save(number: number): StartedSave {
    const save = this.#saves.get(number);
    if (save !== undefined && "error" in save) throw save.error;
    if (save === undefined) throw disposedModel();
    return save;
  }

  async #savePiece(number: number): Promise<Uint8Array | undefined> {
    const reader = this.#streams.get(number) ?? this.#save(number).stream().getReader();
    this.#streams.set(number, reader);
    return (await reader.read()).value;
  }

  #endSave(number: number): void {
    const save = this.#saves.get(number);
    if (save !== undefined && !("error" in save)) save.end();
    this.#streams.delete(number);
    this.#saves.delete(number);
  }

  /** Disposes of a session, and ends the loop that waits for its reader. */
  #dispose(number: number): void {
    this.#sessions.get(number)?.dispose();
    this.#sessions.delete(number);
    for (const { session, loop } of this.#running.values()) if (session === number) loop?.stop();
  }

  /** Ends the model, its threads and, when they have returned, the worker. */
  #end(): void {
    this.#isOver = true;
    for (const { abort } of this.#running.values()) abort.abort();
    this.#model?.dispose();
    this.#reads.end();
    void platform.yieldToEventLoop().then(() => this.#port.close());
  }

  #stateOf(session: number | undefined): { session?: SessionState; state?: FromWorker["state"] } {
    const found = session === undefined ? undefined : this.#sessions.get(session);
    const { pagesInUse = 0, sparsity, threads = 1 } = this.#model ?? {};
    return {
      ...(found && { session: { length: found.length, cachedTokens: found.cachedTokens } }),
      ...(sparsity && { state: { pagesInUse, sparsity, threads } }),
    };
  }

  #post(message: FromWorker, transfer?: ArrayBuffer[]): void {
    if (!this.#isOver) this.#port.post(message, transfer);
  }

  #live(): LoadedPlm {
    if (this.#model !== undefined) return this.#model;
    throw disposedModel();
  }

  #session(number: number): Session {
    const session = this.#sessions.get(number);
    if (session !== undefined) return session;
    throw disposedSession();
  }
}
