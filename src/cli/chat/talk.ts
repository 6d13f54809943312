/** A conversation, and what the commands of `plm chat` do with it. */
import { resolve } from "node:path";
import { PlmError } from "../../errors.js";
import type { Conversation } from "../../generation/conversation.js";
import type { GenerationResult } from "../../generation/generation.js";
import type { GenerateOptions } from "../../generation/options.js";
import type { ChatContent, ChatMessage } from "../../tokenizer/chat.js";
import { formatTable } from "../output.js";
import { SessionFile } from "../session-file.js";

/** Seeds are below this. */
const SEEDS = 2 ** 53;

export class Talk {
  readonly #conversation: Conversation;
  readonly #options: GenerateOptions;
  readonly #contextLength: number;
  /** Files of `/save`, which may be written again. */
  readonly #files = new Map<string, SessionFile>();
  /** The last answer, whole or not. */
  #last: GenerationResult | undefined;
  /** How often the last question was answered again. */
  #retries = 0;

  constructor(conversation: Conversation, options: GenerateOptions, contextLength: number) {
    this.#conversation = conversation;
    this.#options = options;
    this.#contextLength = contextLength;
  }

  /** The answer to a question. Throws as `Conversation.ask` and its reader do. */
  ask(question: string, signal: AbortSignal): AsyncGenerator<string, void> {
    this.#retries = 0;
    return this.#answer(question, signal);
  }

  /**
   * Answers the last question again, with another seed; of the answer before nothing is left,
   * unless this one fails. Throws INVALID_ARGUMENT if there is no question.
   */
  async *retry(signal: AbortSignal): AsyncGenerator<string, void> {
    const { messages } = this.#conversation;
    const turn = messages.slice(-2);
    const [question, answer] = turn;
    if (question?.role !== "user" || answer?.role !== "assistant") {
      throw new PlmError("INVALID_ARGUMENT", "/retry: expected a question before it, got none");
    }
    messages.splice(-2);
    this.#retries++;
    try {
      yield* this.#answer(question.content as ChatContent, signal);
    } catch (error) {
      if (!signal.aborted) messages.push(...turn);
      throw error;
    }
  }

  async *#answer(question: ChatContent, signal: AbortSignal): AsyncGenerator<string, void> {
    const { seed } = this.#options;
    const other = seed === undefined ? {} : { seed: (seed + this.#retries) % SEEDS };
    const generation = this.#conversation.ask(question, { ...this.#options, ...other, signal });
    try {
      yield* generation;
    } catch (error) {
      throw advised(error);
    } finally {
      const answer = generation.soFar();
      if (answer.promptTokens > 0) this.#last = answer;
    }
  }

  /** Begins a new conversation with the same system prompt. */
  reset(): void {
    this.#conversation.reset();
    this.#last = undefined;
  }

  /** The system prompt. */
  get system(): ChatContent | undefined {
    return systemOf(this.#conversation.messages);
  }

  /**
   * Begins a new conversation with another system prompt. Throws INVALID_ARGUMENT, and changes
   * nothing, if the template refuses it.
   */
  setSystem(content: string): void {
    const { messages } = this.#conversation;
    const before = messages.splice(0, messages.length, { role: "system", content });
    try {
      // Renders the template; nothing is evaluated, since the answer is not read.
      this.#conversation.ask("Hi");
    } catch (error) {
      messages.splice(0, messages.length, ...before);
      throw error;
    }
    this.reset();
  }

  /**
   * Writes the conversation to a new file, or to one that it wrote before. Throws as
   * `SessionFile.open` and `write`, and INVALID_ARGUMENT for a file that exists.
   */
  async save(path: string): Promise<void> {
    const place = resolve(path);
    let file = this.#files.get(place);
    if (file === undefined) {
      file = await SessionFile.open(path, "conversation", "/save");
      if (file.length !== undefined) {
        const message = `/save: expected a new file, got ${path}, which exists`;
        throw new PlmError("INVALID_ARGUMENT", message);
      }
    }
    await file.write(() => this.#conversation.saveStream());
    this.#files.set(place, file);
  }

  /** How full the context is, and the speed of the last answer. */
  stats(): string {
    const { length, reusedTokens } = this.#conversation;
    const rows = [["context", `${length} of ${this.#contextLength} tokens`]];
    if (this.#last !== undefined) {
      const { tokens, promptTokens, cachedTokens, finishReason, seed, timings } = this.#last;
      const { prefillTokensPerSecond, tokensPerSecond } = timings;
      const cached = `${reusedTokens + cachedTokens} of ${reusedTokens + promptTokens} cached`;
      const ended = `ended by ${finishReason}, seed ${seed}`;
      rows.push(["question", `${cached}, ${prefillTokensPerSecond.toFixed(1)} tokens/s`]);
      rows.push([
        "answer",
        `${tokens.length} tokens, ${tokensPerSecond.toFixed(1)} tokens/s, ${ended}`,
      ]);
    }
    return formatTable(rows);
  }
}

/** The error with what `plm chat` has against it. */
function advised(error: unknown): unknown {
  const full = PlmError.from(error);
  if (full?.code !== "CONTEXT_FULL") return error;
  const advice = "/reset starts anew, --context gives more where the model has it";
  return new PlmError(full.code, `${full.message}; ${advice}`, { cause: error });
}

/** The content of a first message of the role "system". */
export function systemOf([first]: readonly ChatMessage[]): ChatContent | undefined {
  return first?.role === "system" ? (first.content as ChatContent) : undefined;
}
