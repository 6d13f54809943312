/** A conversation with a model: keeps the messages, and what of them is evaluated already. */
import { checkOptions, checkSignal } from "../brands.js";
import { Disposable } from "../disposable.js";
import type { SaveOptions, Session } from "../engine/session.js";
import { PlmError } from "../errors.js";
import { requireGlobal } from "../globals.js";
import {
  applyChatTemplate,
  type ChatContent,
  type ChatMessage,
  type ChatTemplateOptions,
  chatTemplateOf,
} from "../tokenizer/chat.js";
import { copyContent } from "../tokenizer/messages.js";
import type { Tokenizer } from "../tokenizer/tokenizer.js";
import type { OwnBytes } from "../web-types.js";
import { countCommonStart, keepCommonStart } from "./common-start.js";
import { generatePieces } from "./generate.js";
import { createRecord, Generation, type GenerationRecord } from "./generation.js";
import { type GenerateOptions, type ResolvedOptions, resolveOptions } from "./options.js";
import { encodeMessages } from "./saved-messages.js";

/** How a conversation begins, and how it is put to the model. */
export interface ConversationOptions extends ChatTemplateOptions {
  /** A first message of the role "system". */
  system?: string;
}

/** What a conversation is held with. */
export interface ConversationParts {
  /** Its own: nobody else evaluates in it. */
  readonly session: Session;
  readonly tokenizer: Tokenizer;
  /** Those so far; `system` is then left aside. */
  readonly messages?: readonly ChatMessage[];
}

/**
 * Turns of user and assistant. Every answer evaluates only what is new since the last. Made by
 * `createConversation` and `restoreConversation` of the model, and by `fork`.
 */
export class Conversation extends Disposable {
  readonly messages: ChatMessage[];
  readonly #parts: ConversationParts;
  readonly #template: ChatTemplateOptions;
  #isAnswering = false;
  #reusedTokens = 0;

  /** Throws INVALID_ARGUMENT as `chatTemplateOf` does, such as where there is no template. */
  constructor(parts: ConversationParts, options: ConversationOptions = {}) {
    super();
    checkOptions(options);
    const { system, ...template } = options;
    chatTemplateOf(parts.tokenizer, template);
    const first = system === undefined ? [] : [{ role: "system", content: system }];
    this.messages = [...(parts.messages ?? first)];
    this.#parts = parts;
    this.#template = template;
  }

  /** Tokens of the messages that are evaluated: what they take of the model's context. */
  get length(): number {
    return this.#parts.session.length;
  }

  /** Tokens before the last question that were there already, and not evaluated for its answer. */
  get reusedTokens(): number {
    return this.#reusedTokens;
  }

  /**
   * Forgets all messages, and their tokens, except a first one of the role "system". Throws
   * SESSION_BUSY while an answer is read.
   */
  reset(): void {
    this.#checkIdle();
    this.messages.length = this.messages[0]?.role === "system" ? 1 : 0;
    const { session } = this.#parts;
    if (session.length > 0) session.truncate(this.#countOfStart());
  }

  /**
   * A conversation with the same messages, which goes its own way; nothing is evaluated or copied
   * before one of the two goes on. Dispose of both. Throws SESSION_BUSY while an answer is read,
   * DISPOSED.
   */
  fork(): Conversation {
    this.#checkIdle();
    const { session, tokenizer } = this.#parts;
    const messages = this.messages.map((message) => ({ ...message }));
    return new Conversation({ session: session.fork(), tokenizer, messages }, this.#template);
  }

  /**
   * The messages and the session as bytes, which `restoreConversation` of the same model takes in
   * any runtime. It may go on meanwhile. The options of the template are not saved. Throws
   * INVALID_ARGUMENT for messages that JSON cannot hold or of more than 4 MiB, SESSION_BUSY while
   * an answer is read, DISPOSED; an abort rejects with the signal's reason.
   */
  async save(options: SaveOptions = {}): Promise<OwnBytes> {
    this.#checkIdle();
    checkOptions(options);
    const signal = checkSignal(options.signal);
    return this.#parts.session.startSave(encodeMessages(this.messages)).bytes(signal);
  }

  /** What `save` resolves to, in pieces of some megabytes as they are read. Throws as `save`. */
  saveStream(): ReadableStream<Uint8Array> {
    this.#checkIdle();
    requireGlobal("ReadableStream");
    return this.#parts.session.startSave(encodeMessages(this.messages)).stream();
  }

  /** Gives the session back. */
  dispose(): void {
    this.#parts.session.dispose();
  }

  /**
   * The answer to `content`, of which nothing is evaluated until it is read. Both are kept as
   * messages when it is over; of an answer that the signal, its reader or `cancel` ends, what was
   * said. If it is never read, or something else fails, neither is kept.
   *
   * Throws INVALID_ARGUMENT as `Model.chat` does. Reading rejects with SESSION_BUSY while another
   * answer is read, with CONTEXT_FULL where the messages are longer than the context, and as the
   * loop of `generate` does.
   */
  ask(content: ChatContent, options: GenerateOptions = {}): Generation {
    checkOptions(options);
    const resolved = resolveOptions(options, this.#parts.session.vocabSize);
    const question: ChatMessage = { role: "user", content: copyContent(content) };
    // Throws for what the template refuses; the messages may be others when the answer is read.
    this.#textWith(question);
    const record = createRecord(resolved);
    return new Generation(record, this.#answer(question, resolved, record));
  }

  async *#answer(
    question: ChatMessage,
    options: ResolvedOptions,
    record: GenerationRecord,
  ): AsyncGenerator<string, void> {
    this.#checkIdle();
    this.#isAnswering = true;
    const { session: evaluator, tokenizer: decoder } = this.#parts;
    let hasFailed = false;
    try {
      const prompt = this.#promptOf(question);
      record.promptTokens = prompt.length;
      yield* generatePieces({ evaluator, decoder, prompt }, options, record);
    } catch (error) {
      hasFailed = !(options.signal?.aborted && error === options.signal.reason);
      throw error;
    } finally {
      if (!hasFailed) this.messages.push(question, { role: "assistant", content: record.text });
      this.#isAnswering = false;
    }
  }

  #checkIdle(): void {
    if (!this.#isAnswering) return;
    throw new PlmError("SESSION_BUSY", "conversation: expected one call at a time, got a second");
  }

  /** The text of the conversation so far and a question. */
  #textWith(question: ChatMessage): string {
    const { tokenizer } = this.#parts;
    return applyChatTemplate(tokenizer, [...this.messages, question], this.#template);
  }

  /** The tokens of that text. */
  #tokensWith(question: ChatMessage): number[] {
    const options = { special: true, addBos: true };
    return this.#parts.tokenizer.encode(this.#textWith(question), options);
  }

  /** The tokens to evaluate for an answer. */
  #promptOf(question: ChatMessage): number[] {
    const { session } = this.#parts;
    const tokens = this.#tokensWith(question);
    if (tokens.length > session.contextLength) {
      const expected = `messages of at most ${session.contextLength} tokens (the context)`;
      throw new PlmError("CONTEXT_FULL", `chat: expected ${expected}, got ${tokens.length}`);
    }
    return this.#withoutEvaluated(tokens);
  }

  /** Cuts the session to what it has in common with `tokens`; returns the rest, at least one. */
  #withoutEvaluated(tokens: readonly number[]): number[] {
    const rest = keepCommonStart(this.#parts.session, tokens);
    this.#reusedTokens = tokens.length - rest.length;
    return rest;
  }

  /** How many tokens were evaluated that any next question begins with. */
  #countOfStart(): number {
    try {
      const tokens = this.#tokensWith({ role: "user", content: "" });
      return countCommonStart(this.#parts.session, tokens);
    } catch {
      return 0; // a template that refuses an empty question
    }
  }
}
