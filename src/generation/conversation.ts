/** A conversation with a model: keeps the messages, and what of them is evaluated already. */
import { checkOptions } from "../brands.js";
import { Disposable } from "../disposable.js";
import type { Session } from "../engine/session.js";
import { PlmError } from "../errors.js";
import {
  applyChatTemplate,
  type ChatContent,
  type ChatMessage,
  type ChatTemplateOptions,
  chatTemplateOf,
} from "../tokenizer/chat.js";
import { copyContent } from "../tokenizer/messages.js";
import type { Tokenizer } from "../tokenizer/tokenizer.js";
import { generatePieces } from "./generate.js";
import { createRecord, Generation, type GenerationRecord } from "./generation.js";
import { type GenerateOptions, type ResolvedOptions, resolveOptions } from "./options.js";

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
}

/**
 * Turns of user and assistant. Every answer evaluates only what is new since the last. Made by
 * `Model.createConversation`.
 */
export class Conversation extends Disposable {
  readonly messages: ChatMessage[] = [];
  readonly #parts: ConversationParts;
  readonly #system: string | undefined;
  readonly #template: ChatTemplateOptions;
  #isAnswering = false;

  /** Throws INVALID_ARGUMENT as `chatTemplateOf` does, such as where there is no template. */
  constructor(parts: ConversationParts, options: ConversationOptions = {}) {
    super();
    checkOptions(options);
    const { system, ...template } = options;
    this.#parts = parts;
    this.#system = system;
    chatTemplateOf(parts.tokenizer, template);
    this.#template = template;
    this.reset();
  }

  /** Forgets all but the system message. Throws SESSION_BUSY while an answer is read. */
  reset(): void {
    this.#checkIdle();
    this.messages.length = 0;
    if (this.#system !== undefined) this.messages.push({ role: "system", content: this.#system });
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
    throw new PlmError("SESSION_BUSY", "conversation: expected one answer at a time, got a second");
  }

  /** The text of the conversation so far and a question. */
  #textWith(question: ChatMessage): string {
    const { tokenizer } = this.#parts;
    return applyChatTemplate(tokenizer, [...this.messages, question], this.#template);
  }

  /** The tokens to evaluate for an answer. */
  #promptOf(question: ChatMessage): number[] {
    const { session, tokenizer } = this.#parts;
    const tokens = tokenizer.encode(this.#textWith(question), { special: true, addBos: true });
    if (tokens.length > session.contextLength) {
      const expected = `messages of at most ${session.contextLength} tokens (the context)`;
      throw new PlmError("CONTEXT_FULL", `chat: expected ${expected}, got ${tokens.length}`);
    }
    return this.#withoutEvaluated(tokens);
  }

  /** Cuts the session to what it has in common with `tokens`; returns the rest, at least one. */
  #withoutEvaluated(tokens: readonly number[]): number[] {
    const { session } = this.#parts;
    const evaluated = session.tokens;
    let common = 0;
    const most = Math.min(evaluated.length, tokens.length - 1);
    while (common < most && evaluated[common] === tokens[common]) common++;
    session.truncate(common);
    return tokens.slice(common);
  }
}
