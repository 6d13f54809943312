/** The caller's end of the border to a worker: calls and their answers. */

import { PlmError } from "../errors.js";
import type { ByteSource } from "../format/byte-source.js";
import type { LoadProgress } from "../loading/read-weights.js";
import { listen, messageOf, type ThreadWorker } from "../platform/thread-worker.js";
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

/** What a call may be given. */
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
  readonly result: Promise<unknown>;
  say(word: Word): void;
}

interface Pending extends CallOptions {
  resolve(result: unknown): void;
  reject(reason: unknown): void;
}

export class Channel {
  readonly #worker: ThreadWorker;
  readonly #pending = new Map<number, Pending>();
  #calls = 0;
  /** Why no more calls can be made. */
  #failure: PlmError | undefined;
  #state: ModelState = { pagesInUse: 0, sparsity: { activations: 0, nonZero: 0 } };

  /** Of a worker that has answered. */
  constructor(worker: ThreadWorker) {
    this.#worker = worker;
    listen(worker, "message", (message) => this.#receive(messageOf(worker, message) as FromWorker));
    listen(worker, "error", (cause) => this.#lose(cause));
    listen(worker, "messageerror", (cause) => this.#lose(cause));
    listen(worker, "exit", () => this.#lose(undefined));
    worker.unref?.();
  }

  /** What the worker said last. */
  get state(): ModelState {
    return this.#state;
  }

  /** Makes a call. An abort rejects with the signal's reason, once the worker has stopped. */
  start(call: Call, options: CallOptions = {}): StartedCall {
    const id = this.#calls++;
    const { signal } = options;
    const say = (word: Word): void => this.#post({ id, word });
    const abort = (): void => say({ name: "abort" });
    const result = new Promise<unknown>((resolve, reject) => {
      if (this.#failure !== undefined) throw this.#failure;
      // A program waits for its calls, not for an idle worker.
      if (this.#pending.size === 0) this.#worker.ref?.();
      this.#pending.set(id, { ...options, resolve, reject });
      try {
        this.#post({ id, call });
      } catch (error) {
        this.#settle(id);
        throw error;
      }
      signal?.addEventListener("abort", abort, { once: true });
    });
    const settled = result.finally(() => signal?.removeEventListener("abort", abort));
    return { result: settled, say };
  }

  /** Makes a call and waits for its result. */
  async call(call: Call, options?: CallOptions): Promise<unknown> {
    return this.start(call, options).result;
  }

  /** Says what needs no answer. */
  notify(notice: Notice): void {
    if (this.#failure === undefined) this.#post({ notice });
  }

  /** Ends the worker, and rejects what is under way with the error. */
  end(error: PlmError): void {
    if (this.#failure !== undefined) return;
    this.notify({ name: "end" });
    this.#fail(error);
  }

  #post(message: ToWorker, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  #receive(message: FromWorker): void {
    if (message.state !== undefined) this.#state = message.state;
    if ("read" in message) void this.#read(message);
    else if ("progress" in message) this.#pending.get(message.id)?.onProgress?.(message.progress);
    else if ("update" in message) this.#pending.get(message.id)?.onUpdate?.(message.update);
    else {
      const pending = this.#settle(message.id);
      if (message.session !== undefined) pending?.onState?.(message.session);
      if ("result" in message) pending?.resolve(message.result);
      else if (pending?.signal?.aborted) pending.reject(pending.signal.reason);
      else pending?.reject(receiveError(message.error));
    }
  }

  /** Reads a source of the call that is under way for the worker. */
  async #read(request: Extract<FromWorker, { read: number }>): Promise<void> {
    const { read, call, source: index, offset, length } = request;
    try {
      const source = this.#pending.get(call)?.sources?.[index];
      if (source === undefined) throw new Error("the call is over");
      const target = new Uint8Array(length);
      const count = await source.read(offset, target, this.#pending.get(call)?.signal);
      const bytes = target.subarray(0, count);
      this.#post({ read, bytes, size: source.size }, [target.buffer]);
    } catch (error) {
      this.#post({ read, error: sendError(error) });
    }
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (this.#pending.size === 0) this.#worker.unref?.();
    return pending;
  }

  #lose(cause: unknown): void {
    // Deno ends the program otherwise.
    (cause as { preventDefault?(): void } | undefined)?.preventDefault?.();
    const { message = "it ended" } = (cause ?? {}) as { message?: string };
    const text = `worker: expected it to answer, got ${message || "no reason"}`;
    this.#fail(new PlmError("WORKER_LOST", text, cause === undefined ? {} : { cause }));
  }

  #fail(error: PlmError): void {
    this.#failure ??= error;
    for (const id of [...this.#pending.keys()]) this.#settle(id)?.reject(error);
  }
}
