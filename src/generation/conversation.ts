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
import { generate } from "./generate.js";
import type { Generation } from "./generation.js";
import type { GenerateOptions } from "./options.js";

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

  /** Forgets all but the system message. Throws SESSION_BUSY while an answer is given. */
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
   * The pieces of the answer to `content`. Both are kept as messages; of an answer that the signal
   * or its reader ends, what was said. If something else fails, neither is kept: CONTEXT_FULL where
   * the messages are longer than the context, SESSION_BUSY while another answer is given, and as
   * `generate` throws.
   */
  async *ask(content: ChatContent, options: GenerateOptions = {}): AsyncGenerator<string, void> {
    this.#checkIdle();
    checkOptions(options);
    const { signal } = options;
    const question: ChatMessage = { role: "user", content: copyContent(content) };
    this.#isAnswering = true;
    let answer = "";
    let hasFailed = false;
    try {
      const generation = this.#answer([...this.messages, question], options);
      for await (const piece of generation) {
        answer += piece;
        yield piece;
      }
    } catch (error) {
      hasFailed = !(signal?.aborted && error === signal.reason);
      if (hasFailed) throw error;
    } finally {
      if (!hasFailed) this.messages.push(question, { role: "assistant", content: answer });
      this.#isAnswering = false;
    }
  }

  #checkIdle(): void {
    if (!this.#isAnswering) return;
    throw new PlmError("SESSION_BUSY", "conversation: expected one answer at a time, got a second");
  }

  #answer(messages: readonly ChatMessage[], options: GenerateOptions): Generation {
    const { session, tokenizer } = this.#parts;
    const text = applyChatTemplate(tokenizer, messages, this.#template);
    const tokens = tokenizer.encode(text, { special: true, addBos: true });
    if (tokens.length > session.contextLength) {
      const expected = `messages of at most ${session.contextLength} tokens (the context)`;
      throw new PlmError("CONTEXT_FULL", `chat: expected ${expected}, got ${tokens.length}`);
    }
    return generate(session, tokenizer, this.#withoutEvaluated(tokens), options);
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
