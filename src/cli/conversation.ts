/** A conversation with a model: keeps the messages, and what of them is evaluated already. */
import { PlmError } from "../errors.js";
import { generate } from "../generation/generate.js";
import type { GenerateOptions } from "../generation/options.js";
import type { Session } from "../model/session.js";
import { type ChatMessage, renderChat } from "../tokenizer/chat.js";
import type { Tokenizer } from "../tokenizer/tokenizer.js";

/** What a conversation is held with. */
export interface ConversationParts {
  readonly session: Session;
  readonly tokenizer: Tokenizer;
  /** A first message of the role "system". */
  readonly system?: string;
}

/** Turns of user and assistant. Every answer evaluates only what is new since the last. */
export class Conversation {
  readonly messages: ChatMessage[] = [];
  readonly #parts: ConversationParts;
  readonly #template: string;
  /** The tokens in the session's cache. */
  #cached: number[] = [];

  /** Throws UNSUPPORTED_FILE where the file has no chat template. */
  constructor(parts: ConversationParts) {
    const { chatTemplate } = parts.tokenizer;
    if (chatTemplate === undefined) {
      throw new PlmError(
        "UNSUPPORTED_FILE",
        "chat: expected a file with a chat template, got none",
      );
    }
    this.#parts = parts;
    this.#template = chatTemplate;
    this.reset();
  }

  /** Forgets all but the system message. */
  reset(): void {
    const { system } = this.#parts;
    this.messages.length = 0;
    if (system !== undefined) this.messages.push({ role: "system", content: system });
  }

  /**
   * The pieces of the answer to `content`. Both are kept as messages; of an answer that the signal
   * ends, what was said. If evaluating fails in another way, neither is kept.
   */
  async *ask(content: string, options: GenerateOptions = {}): AsyncGenerator<string, void> {
    const { session, tokenizer } = this.#parts;
    this.messages.push({ role: "user", content });
    let answer = "";
    try {
      const text = renderChat(this.#template, this.messages, { addGenerationPrompt: true });
      const tokens = tokenizer.encode(text, { special: true });
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
