/** A conversation with a model: keeps the messages, and what of them is evaluated already. */
import { PlmError } from "../errors.js";
import type { Session } from "../model/session.js";
import { type ChatMessage, renderChat } from "../tokenizer/chat.js";
import type { Tokenizer } from "../tokenizer/tokenizer.js";
import { generate } from "./generate.js";
import type { GenerateOptions } from "./options.js";

/** How a conversation begins, and how it is put to the model. */
export interface ConversationOptions {
  /** A first message of the role "system". */
  system?: string;
  /** A Jinja chat template in the place of the file's. */
  chatTemplate?: string;
}

/** What a conversation is held with. */
export interface ConversationParts {
  /** Its own: nobody else evaluates in it. */
  readonly session: Session;
  readonly tokenizer: Tokenizer;
}

/** The options' template or the file's. Throws INVALID_ARGUMENT where neither has one. */
export function chatTemplateOf(tokenizer: Tokenizer, chatTemplate?: string): string {
  const template = chatTemplate ?? tokenizer.chatTemplate;
  if (template !== undefined) return template;
  throw new PlmError("INVALID_ARGUMENT", "chat: expected a chat template, the file has none");
}

/**
 * Turns of user and assistant. Every answer evaluates only what is new since the last. Made by
 * `Model.createConversation`.
 */
export class Conversation {
  readonly messages: ChatMessage[] = [];
  readonly #parts: ConversationParts;
  readonly #system: string | undefined;
  readonly #template: string;
  /** The tokens in the session's cache. */
  #cached: number[] = [];

  /** Throws INVALID_ARGUMENT where neither the file nor the options have a chat template. */
  constructor(parts: ConversationParts, { system, chatTemplate }: ConversationOptions = {}) {
    this.#parts = parts;
    this.#system = system;
    this.#template = chatTemplateOf(parts.tokenizer, chatTemplate);
    this.reset();
  }

  /** Forgets all but the system message. */
  reset(): void {
    this.messages.length = 0;
    if (this.#system !== undefined) this.messages.push({ role: "system", content: this.#system });
  }

  /** Gives the session back. */
  dispose(): void {
    this.#parts.session.dispose();
  }

  /**
   * The pieces of the answer to `content`. Both are kept as messages; of an answer that the signal
   * ends, what was said. If evaluating fails in another way, neither is kept: CONTEXT_FULL where
   * the messages are longer than the context, and as `generate` throws.
   */
  async *ask(content: string, options: GenerateOptions = {}): AsyncGenerator<string, void> {
    const { session, tokenizer } = this.#parts;
    this.messages.push({ role: "user", content });
    let answer = "";
    try {
      const text = renderChat(this.#template, this.messages, { addGenerationPrompt: true });
      const tokens = tokenizer.encode(text, { special: true });
      if (tokens.length > session.contextLength) {
        const expected = `messages of at most ${session.contextLength} tokens (the context)`;
        throw new PlmError("CONTEXT_FULL", `chat: expected ${expected}, got ${tokens.length}`);
      }
      const generation = generate(session, tokenizer, this.#withoutCached(tokens), options);
      this.#cached = tokens;
      for await (const piece of generation) {
        answer += piece;
        yield piece;
      }
      this.#cached = tokens.concat((await generation.result()).tokens);
    } catch (error) {
      if (!options.signal?.aborted) {
        this.messages.pop();
        throw error;
      }
    } finally {
      this.#matchSession();
    }
    this.messages.push({ role: "assistant", content: answer });
  }

  /** Cuts the session to what it has in common with `tokens`; returns the rest, at least one. */
  #withoutCached(tokens: readonly number[]): number[] {
    let common = 0;
    const most = Math.min(this.#cached.length, tokens.length - 1);
    while (common < most && this.#cached[common] === tokens[common]) common++;
    this.#parts.session.truncate(common);
    return tokens.slice(common);
  }

  /** Makes the session and the list of its tokens equally long. */
  #matchSession(): void {
    const { session } = this.#parts;
    const length = Math.min(session.length, this.#cached.length);
    session.truncate(length);
    this.#cached.length = length;
  }
}
