/** The session that a request goes on with, kept in a store between requests. */
import type { Session } from "../engine/session.js";
import { PlmError } from "../errors.js";
import { keepCommonStart } from "../generation/common-start.js";
import { generate } from "../generation/generate.js";
import type { Generation, GenerationResult } from "../generation/generation.js";
import type { Model } from "../generation/model.js";
import type { GenerateOptions } from "../generation/options.js";
import type { SessionStore, SessionTurn } from "../generation/session-store.js";

/**
 * What became of a request's session. The request is answered all the same: without its session all
 * of the prompt is evaluated, and with another model's, or a damaged one, a new one begins.
 */
export type SessionOutcome = "restored" | "new" | "replaced" | "busy" | "unavailable" | "unsaved";

/** Why a saved session cannot be gone on with, though a new one can. */
const UNUSABLE: readonly string[] = [
  ...["INVALID_FILE", "UNSUPPORTED_FILE", "CONTEXT_FULL", "CACHE_FULL"],
  "STORE_UNAVAILABLE",
];

/** How a store fails. */
const STORE_CODES: readonly string[] = ["SESSION_BUSY", "STORE_FULL", "STORE_UNAVAILABLE"];

export class KeptSession {
  outcome: SessionOutcome = "new";
  readonly #turn: SessionTurn | undefined;
  #session: Session | undefined;
  /** Tokens of the prompt that the session had. */
  #kept = 0;

  private constructor(turn: SessionTurn | undefined) {
    this.#turn = turn;
  }

  /** Begins a session's turn. Without one, if the store fails, nothing is kept. */
  static async open(store: SessionStore, id: string, signal: AbortSignal): Promise<KeptSession> {
    try {
      return new KeptSession(await store.open(id, { signal }));
    } catch (error) {
      const code = failureOf(error);
      const without = new KeptSession(undefined);
      without.outcome = code === "SESSION_BUSY" ? "busy" : "unavailable";
      return without;
    }
  }

  /** Goes on with the session; evaluates what it does not have of the prompt. */
  async generate(
    model: Model,
    prompt: readonly number[],
    options: GenerateOptions,
  ): Promise<Generation> {
    const session = (await this.#restore(model, options.signal)) ?? model.createSession();
    this.#session = session;
    const rest = keepCommonStart(session, prompt);
    this.#kept = prompt.length - rest.length;
    return generate(session, model.tokenizer, rest, options);
  }

  /** A result of the generation, of the whole prompt. */
  whole(result: GenerationResult): GenerationResult {
    const { promptTokens, cachedTokens } = result;
    return {
      ...result,
      promptTokens: promptTokens + this.#kept,
      cachedTokens: cachedTokens + this.#kept,
    };
  }

  /** Keeps the session as it is now. */
  async save(signal: AbortSignal): Promise<void> {
    if (this.#turn === undefined || this.#session === undefined) return;
    try {
      await this.#turn.save(this.#session, { signal });
    } catch (error) {
      failureOf(error);
      this.outcome = "unsaved";
    }
  }

  async close(): Promise<void> {
    this.#session?.dispose();
    await this.#turn?.close();
  }

  /** The session as it was saved; undefined if there is none of this model. */
  async #restore(model: Model, signal: AbortSignal | undefined): Promise<Session | undefined> {
    const saved = this.#turn?.saved;
    if (saved === undefined) return undefined;
    try {
      const session = await model.restoreSession(saved, { signal });
      this.outcome = "restored";
      return session;
    } catch (error) {
      if (!UNUSABLE.includes(PlmError.from(error)?.code ?? "")) throw error;
      this.outcome = "replaced";
      return undefined;
    }
  }
}

/** The code of a failure of the store. Throws any other error. */
function failureOf(error: unknown): string {
  const code = PlmError.from(error)?.code;
  if (code !== undefined && STORE_CODES.includes(code)) return code;
  throw error;
}
