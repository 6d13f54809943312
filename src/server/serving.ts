/** What all routes share: the model once it is loaded, and what runs. */
import { abortable } from "../abortable.js";
import { PlmError, quote } from "../errors.js";
import type { Model } from "../generation/model.js";
import type { SessionStore } from "../generation/session-store.js";
import { Admission } from "./admission.js";
import { HttpError } from "./http-error.js";
import type { SessionOutcome } from "./kept-session.js";
import { checkLength, textsOf } from "./long-texts.js";
import { Metrics } from "./metrics.js";
import type { HandlerClock, ResolvedHandlerOptions } from "./options.js";

/** Tokens of one request, and its session, for the log. */
export interface TokenCounts {
  promptTokens: number;
  cachedTokens: number;
  completionTokens: number;
  session?: SessionOutcome;
}

/** Seconds after which a client may ask again while the model is loading. */
const LOADING_RETRY = 2;

export class Serving {
  readonly modelName: string;
  readonly clock: HandlerClock;
  readonly metrics: Metrics = new Metrics();
  /** Where sessions are kept between requests. */
  readonly sessions: SessionStore | undefined;
  /** When it began, in milliseconds since 1970. */
  readonly started: number;
  #loaded: { readonly model: Model; readonly admission: Admission } | undefined;
  /** Loads a model that is loaded on request. */
  readonly #load: (() => PromiseLike<Model>) | undefined;
  readonly #waitUntil: ResolvedHandlerOptions["waitUntil"];
  readonly #maxWaiting: number;
  #loading: Promise<void> | undefined;
  #failed = false;
  #loadError: unknown;
  #closed: HttpError | undefined;
  #active = 0;
  #whenIdle: (() => void)[] = [];

  constructor({
    model,
    modelName,
    clock,
    maxWaiting,
    sessions,
    waitUntil,
  }: ResolvedHandlerOptions) {
    this.modelName = modelName;
    this.sessions = sessions;
    this.clock = clock;
    this.started = clock.date();
    this.#maxWaiting = maxWaiting;
    this.#waitUntil = waitUntil;
    if (typeof model === "function") this.#load = model;
    else void this.#receive(() => model);
  }

  /**
   * Waits for a model that is loaded on request, and begins to load it unless that is under way or
   * done. Rejects with the signal's reason; a failure shows in `model`.
   */
  async load(signal: AbortSignal): Promise<void> {
    if (this.#load === undefined || this.#closed !== undefined) return;
    if (this.#loading === undefined) {
      this.#failed = false;
      this.#loading = this.#receive(this.#load);
      this.#waitUntil?.(this.#loading);
    }
    await abortable(this.#loading, signal);
  }

  /** "ok" when it answers. */
  get health(): "ok" | "loading model" | "error" | "shutting down" {
    if (this.#closed !== undefined) return "shutting down";
    if (this.#failed) return "error";
    return this.#loaded === undefined ? "loading model" : "ok";
  }

  /**
   * The model. Throws HttpError 503 while it is loading; if it did not load, 503 where the next
   * request tries again, else 500.
   */
  get model(): Model {
    return this.#ready.model;
  }

  get admission(): Admission {
    return this.#ready.admission;
  }

  /** Throws HttpError 503 after `close`, and as `model` does. */
  checkReady(): void {
    if (this.#closed !== undefined) throw this.#closed;
    void this.#ready;
  }

  /** Notes what a generation failed with: a model that is over answers nothing any more. */
  noteFailure(error: unknown): void {
    if (PlmError.from(error)?.code === "WORKER_LOST") this.#failed = true;
  }

  /** Throws HttpError 404 for a request that names another model. */
  checkModel(name: string | undefined): void {
    const wanted = name?.replace(/:latest$/, "");
    if (wanted === undefined || wanted === this.modelName || name === this.modelName) return;
    const message = `model: expected ${quote(this.modelName)}, got ${quote(wanted)}`;
    throw new HttpError(404, message, { param: "model", code: "model_not_found" });
  }

  /** Throws HttpError 400 for texts that are far too long; tokenizing them would take long. */
  checkTexts(value: unknown, param: string): void {
    const { tokenizer, plan } = this.model;
    checkLength(textsOf(value), tokenizer, plan.options.contextLength, param);
  }

  /** Throws HttpError 400 for a prompt that is empty or longer than the context. */
  checkPrompt({ length }: ArrayLike<number>, param: string): void {
    const { contextLength } = this.model.plan.options;
    if (length === 0) {
      const message = `${param}: expected at least one token, got none`;
      throw new HttpError(400, message, { param, code: "empty_prompt" });
    }
    if (length <= contextLength) return;
    const expected = `at most ${contextLength} tokens (the context)`;
    const message = `${param}: expected ${expected}, got ${length}`;
    throw new HttpError(400, message, { param, code: "context_length_exceeded" });
  }

  /** Notes that a request is being answered, until what it returns is called. */
  begin(): () => void {
    this.#active++;
    let isOver = false;
    let settle = (): void => {};
    this.#waitUntil?.(
      new Promise<void>((resolve) => {
        settle = resolve;
      }),
    );
    return () => {
      if (isOver) return;
      isOver = true;
      settle();
      if (--this.#active === 0) for (const call of this.#whenIdle.splice(0)) call();
    };
  }

  /** Refuses what comes and what waits; resolves when all that runs is answered. */
  async close(): Promise<void> {
    this.#closed ??= new HttpError(503, "the server is shutting down", { retryAfter: 5 });
    this.#loaded?.admission.close(this.#closed);
    if (this.#active > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  get #ready(): { readonly model: Model; readonly admission: Admission } {
    if (this.#loaded !== undefined) return this.#loaded;
    const retryAfter = LOADING_RETRY;
    if (!this.#failed) throw new HttpError(503, "the model is loading", { retryAfter });
    const message = "the model could not be loaded";
    const cause = this.#loadError;
    if (this.#load === undefined) throw new HttpError(500, message, { cause });
    throw new HttpError(503, message, { cause, retryAfter });
  }

  /** Takes the model when it is loaded. Never rejects. */
  async #receive(load: () => PromiseLike<Model>): Promise<void> {
    try {
      const model = await load();
      const limits = { maxRunning: model.plan.options.maxSequences, maxWaiting: this.#maxWaiting };
      this.#loaded = { model, admission: new Admission(limits) };
      if (this.#closed !== undefined) this.#loaded.admission.close(this.#closed);
    } catch (error) {
      this.#failed = true;
      this.#loadError = error;
      this.#loading = undefined;
    }
  }
}

/** The error of a signal that aborts because the client is gone, or a stream is left unread. */
export function hangUp(): Error {
  return new PlmError("DISPOSED", "request: expected a client that reads, it hung up");
}
