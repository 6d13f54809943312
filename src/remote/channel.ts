/** The caller's end of the border to a worker: calls and their answers. */

import { PlmError } from "../errors.js";
import type { ByteSource } from "../format/byte-source.js";
import type { LoadProgress } from "../loading/progress.js";
import { listen, messageOf, type ThreadWorker, terminateLate } from "../platform/thread-worker.js";
import { closeSources } from "../sources/source.js";
import type {
  Call,
  FromWorker,
  LoopUpdate,
  ModelState,
  Notice,
  SessionState,
  ToWorker,
  Word,
} from "./protocol.js";
import { receiveError, sendError } from "./sent-error.js";

/** How long a worker may take to end: its threads return before. */
const RETURN_MS = 10_000;

/** What a call may be given. Until it is answered, nothing that it refers to is collected. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
  /** Called for each update of a loop. */
  readonly onUpdate?: (update: LoopUpdate) => void;
  /** Called with where the session is then, whether the call succeeds or not. */
  readonly onState?: (state: SessionState) => void;
  /** Sources that the worker reads through this channel, in the order of their indices. */
  readonly sources?: readonly ByteSource[];
}

/** A call that was made. */
export interface StartedCall {
  readonly id: number;
  readonly result: Promise<unknown>;
  say(word: Word): void;
}

interface Pending extends CallOptions {
  /** What reads of the sources have thrown. */
  readonly thrown: unknown[];
  /** What `onProgress` has thrown. */
  failure?: { readonly reason: unknown };
  resolve(result: unknown): void;
  reject(reason: unknown): void;
}

export class Channel {
  readonly #worker: ThreadWorker;
  readonly #pending = new Map<number, Pending>();
  /** Sources that the worker goes on reading after a call. */
  #held: { readonly call: number; readonly sources: readonly ByteSource[] } | undefined;
  #calls = 0;
  #waits = 0;
  #failure: PlmError | undefined;
  #state: ModelState = { pagesInUse: 0, sparsity: { activations: 0, nonZero: 0 }, threads: 1 };

  /** Of a worker that has answered. */
  constructor(worker: ThreadWorker) {
    this.#worker = worker;
    listen(worker, "message", (message) => this.#receive(messageOf(worker, message) as FromWorker));
    listen(worker, "error", (cause) => this.#lose(cause));
    listen(worker, "messageerror", (cause) => this.#lose(cause));
    listen(worker, "exit", () => this.#fail(lost("")));
    worker.unref?.();
  }

  /** What the worker said last. */
  get state(): ModelState {
    return this.#state;
  }

  /** Why no more calls can be made. */
  get failure(): PlmError | undefined {
    return this.#failure;
  }

  /** Makes a call. An abort rejects with the signal's reason, once the worker has stopped. */
  start(call: Call, options: CallOptions = {}): StartedCall {
    const id = this.#calls++;
    const { signal } = options;
    const say = (word: Word): void => this.#post({ id, word });
    const abort = (): void => say({ name: "abort" });
    const result = new Promise<unknown>((resolve, reject) => {
      signal?.throwIfAborted();
      if (this.#failure !== undefined) throw this.#failure;
      this.#post({ id, call });
      this.#pending.set(id, { ...options, thrown: [], resolve, reject });
      signal?.addEventListener("abort", abort, { once: true });
    });
    const settled = result.finally(() => signal?.removeEventListener("abort", abort));
    return { id, result: settled, say };
  }

  /** Goes on reading the sources of a call that was answered, and closes them in the end. */
  hold(call: number, sources: readonly ByteSource[]): void {
    this.#held = { call, sources };
    if (this.#failure !== undefined) this.#closeHeld();
  }

  /** Makes a call and waits for its result. */
  async call(call: Call, options?: CallOptions): Promise<unknown> {
    return this.whileWaiting(this.start(call, options).result);
  }

  /** What a promise comes to. Meanwhile the worker keeps the program alive, as no idle one does. */
  async whileWaiting<T>(promise: Promise<T>): Promise<T> {
    if (this.#waits++ === 0) this.#worker.ref?.();
    try {
      return await promise;
    } finally {
      if (--this.#waits === 0) this.#worker.unref?.();
    }
  }

  /** Says what needs no answer. */
  notify(notice: Notice): void {
    if (this.#failure === undefined) this.#post({ notice });
  }

  /** Ends the worker, and rejects what is under way, and every later call, with the error. */
  end(error: PlmError): void {
    if (this.#failure === undefined) this.#dismiss();
    this.#failure = error;
    this.#fail(error);
  }

  #post(message: ToWorker, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  #receive(message: FromWorker): void {
    if (message.state !== undefined) this.#state = message.state;
    if ("read" in message) void this.#read(message);
    else if ("progress" in message) this.#report(message.id, message.progress);
    else if ("update" in message) this.#pending.get(message.id)?.onUpdate?.(message.update);
    else {
      const pending = this.#pending.get(message.id);
      this.#pending.delete(message.id);
      if (message.session !== undefined) pending?.onState?.(message.session);
      if (pending?.failure !== undefined) pending.reject(pending.failure.reason);
      else if (pending?.signal?.aborted) pending.reject(pending.signal.reason);
      else if ("result" in message) pending?.resolve(message.result);
      else pending?.reject(receiveError(message.error, pending.thrown));
    }
  }

  /** Reports progress. What the callback throws ends the call. */
  #report(id: number, progress: LoadProgress): void {
    const pending = this.#pending.get(id);
    if (pending === undefined || pending.failure !== undefined) return;
    try {
      pending.onProgress?.(progress);
    } catch (reason) {
      pending.failure = { reason };
      this.#post({ id, word: { name: "abort" } });
    }
  }

  /** Reads a source of the call that is under way for the worker. */
  async #read(request: Extract<FromWorker, { read: number }>): Promise<void> {
    const { read, call, source: index, offset, length } = request;
    const pending = this.#pending.get(call);
    const held = this.#held?.call === call ? this.#held : undefined;
    const source = (pending ?? held)?.sources?.[index];
    if (source === undefined) return;
    try {
      const target = new Uint8Array(length);
      const count = await source.read(offset, target, pending?.signal);
      const bytes = target.subarray(0, count);
      this.#post({ read, bytes, size: source.size }, [target.buffer]);
    } catch (error) {
      // Later calls cannot be given the very error.
      const thrown = pending && pending.thrown.push(error) - 1;
      this.#post({ read, error: { ...sendError(error), ...(pending && { thrown }) } });
    }
  }

  #closeHeld(): void {
    void closeSources(this.#held?.sources ?? []);
    this.#held = undefined;
  }

  #lose(cause: unknown): void {
    const { message } = (cause ?? {}) as { message?: string };
    if (this.#failure === undefined) this.#dismiss();
    this.#fail(lost(message ?? "", cause));
  }

  /** Makes the worker end: in Deno terminate() does not end threads that wait, the worker does. */
  #dismiss(): void {
    this.#post({ notice: { name: "end" } });
    terminateLate(this.#worker, RETURN_MS);
  }

  #fail(error: PlmError): void {
    this.#failure ??= error;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    this.#closeHeld();
    for (const { reject } of pending) reject(this.#failure);
  }
}

function lost(message: string, cause?: unknown): PlmError {
  const text = `worker: expected it to answer, got its end${message && `: ${message}`}`;
  return new PlmError("WORKER_LOST", text, cause === undefined ? {} : { cause });
}
