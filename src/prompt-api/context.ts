/** What a session of the Prompt API has said and read: its messages, and their tokens evaluated. */

import { abortable } from "../abortable.js";
import { type ChatGenerateOptions, prepareChat } from "../generation/chat.js";
import { keepCommonStart } from "../generation/common-start.js";
import { generate } from "../generation/generate.js";
import type { GenerationResult } from "../generation/generation.js";
import type { Model } from "../generation/model.js";
import type { ResponseFormat } from "../generation/response-format.js";
import type { ToolCall } from "../generation/tool-calls/tools.js";
import type { ChatMessage } from "../tokenizer/chat.js";
import { domException, quotaExceeded } from "./errors.js";
import type { PromptInput } from "./input.js";
import type { Sampling } from "./sampling.js";
import type { LanguageModelTool } from "./specification.js";

/** What a context is made with. */
export interface ContextParts {
  readonly model: Model;
  readonly session: ReturnType<Model["createSession"]>;
  readonly sampling: Sampling;
  readonly tools: readonly LanguageModelTool[];
}

/** How an answer is given. */
export interface AnswerOptions {
  readonly format: ResponseFormat | undefined;
  readonly signal: AbortSignal;
  /** Called when old messages were left out. */
  readonly onOverflow: () => void;
}

/** Tokens of the context that are left for an answer, at most a quarter of it. */
const ANSWER_TOKENS = 256;

/** Most times that a prompt's answer calls tools. */
const MOST_ROUNDS = 10;

/** Messages and a session. One call at a time; one that fails changes no message. */
export class Context {
  readonly #parts: ContextParts;
  readonly #tools: NonNullable<ChatGenerateOptions["tools"]>;
  #messages: ChatMessage[] = [];
  /** Messages at the beginning that stay. */
  #kept = 0;
  #usage = 0;

  constructor(parts: ContextParts) {
    this.#parts = parts;
    this.#tools = parts.tools.map(({ name, description, inputSchema }) => ({
      type: "function",
      function: { name, description, parameters: inputSchema },
    }));
  }

  /** Tokens of all messages. */
  get usage(): number {
    return this.#usage;
  }

  /** Tokens that there is room for. */
  get window(): number {
    return this.#parts.session.contextLength;
  }

  get hasMessages(): boolean {
    return this.#messages.length > 0;
  }

  /** Tokens that messages would add. */
  measure({ messages, prefix }: PromptInput): number {
    const last = prefix === "" ? [] : [{ role: "assistant", content: prefix }];
    return this.#count([...this.#messages, ...messages, ...last]) - this.#usage;
  }

  /** Takes in the first messages, which stay. Throws a QuotaExceededError. */
  async begin({ messages }: PromptInput, signal: AbortSignal): Promise<void> {
    await this.append({ messages, prefix: "" }, signal, () => {});
    this.#kept = messages.length;
  }

  /** Takes in messages. Throws a QuotaExceededError. */
  async append(
    { messages, prefix }: PromptInput,
    signal: AbortSignal,
    onOverflow: () => void,
  ): Promise<void> {
    const last = prefix === "" ? [] : [{ role: "assistant", content: prefix }];
    const all = this.#withRoomFor([...messages, ...last], 0, onOverflow);
    const { tokens } = this.#prepare(all, { addGenerationPrompt: false });
    const { session } = this.#parts;
    await session.evaluate(keepCommonStart(session, tokens), { logits: "none", signal });
    this.#commit(all);
  }

  /**
   * The pieces of an answer, for which tools are called as often as the model wants. Throws a
   * QuotaExceededError, and a SyntaxError for an answer that is cut before it has its format.
   */
  async *answer(
    { messages, prefix }: PromptInput,
    { format, signal, onOverflow }: AnswerOptions,
  ): AsyncGenerator<string, void> {
    const reserve = Math.min(ANSWER_TOKENS, this.window >> 2);
    const all = this.#withRoomFor(messages, reserve, onOverflow);
    const { session, model, sampling } = this.#parts;
    const { temperature, topK } = sampling;
    const responseFormat = format === undefined ? {} : { responseFormat: format };
    let start = prefix;
    for (let round = 0; ; round++) {
      const toolChoice = round < MOST_ROUNDS ? "auto" : "none";
      const options = { temperature, topK, signal, toolChoice, ...responseFormat } as const;
      const chat = this.#prepare(all, options);
      const tokens = [...chat.tokens, ...(start === "" ? [] : model.tokenizer.encode(start))];
      if (tokens.length >= this.window) throw quotaExceeded(tokens.length, this.window);
      const rest = keepCommonStart(session, tokens);
      const takesCalls = chat.mayCall;
      const generation = generate(session, model.tokenizer, rest, chat.options, { takesCalls });
      yield* generation;
      const result = await generation.result();
      all.push(messageOf(start, result));
      start = "";
      if (!result.toolCalls?.length) {
        if (format !== undefined && result.finishReason === "length") throw cutShort();
        break;
      }
      all.push(...(await abortable(this.#call(result.toolCalls), signal)));
    }
    this.#commit(all);
  }

  /** A context with the same messages, which goes its own way. */
  fork(): Context {
    const fork = new Context({ ...this.#parts, session: this.#parts.session.fork() });
    fork.#messages = [...this.#messages];
    fork.#kept = this.#kept;
    fork.#usage = this.#usage;
    return fork;
  }

  /** Gives the session back. */
  dispose(): void {
    this.#parts.session.dispose();
  }

  /** The results of calls, as messages. */
  async #call(calls: readonly ToolCall[]): Promise<ChatMessage[]> {
    const run = async ({ id, function: fn }: ToolCall): Promise<ChatMessage> => {
      const tool = this.#parts.tools.find(({ name }) => name === fn.name);
      const content = String(await tool!.execute(JSON.parse(fn.arguments)));
      return { role: "tool", content, tool_call_id: id };
    };
    return Promise.all(calls.map(run));
  }

  #prepare(
    messages: readonly ChatMessage[],
    options: ChatGenerateOptions,
  ): ReturnType<typeof prepareChat> {
    const tools = this.#tools;
    return prepareChat(this.#parts.model.tokenizer, messages, { ...options, tools });
  }

  #count(messages: readonly ChatMessage[]): number {
    if (messages.length === 0) return 0;
    return this.#prepare(messages, { addGenerationPrompt: false }).tokens.length;
  }

  #commit(messages: ChatMessage[]): void {
    this.#messages = messages;
    this.#usage = this.#count(messages);
  }

  /** All messages with new ones, without the oldest turns if there is no room for them. */
  #withRoomFor(
    messages: readonly ChatMessage[],
    reserve: number,
    onOverflow: () => void,
  ): ChatMessage[] {
    const most = this.window - reserve;
    const kept = this.#messages.slice(0, this.#kept);
    let turns = this.#messages.slice(this.#kept);
    let count = this.#count([...kept, ...turns, ...messages]);
    while (count > most && turns.length > 0) {
      turns = turns.slice(lengthOfTurn(turns));
      count = this.#count([...kept, ...turns, ...messages]);
    }
    if (count > this.window) throw quotaExceeded(count, this.window);
    if (kept.length + turns.length < this.#messages.length) {
      this.#commit([...kept, ...turns]);
      onOverflow();
    }
    return [...kept, ...turns, ...messages];
  }
}

/** Messages up to the next prompt: of the user, and then of others. */
function lengthOfTurn(messages: readonly ChatMessage[]): number {
  const answer = messages.findIndex(({ role }) => role !== "user");
  if (answer < 0) return 1;
  const next = messages.findIndex(({ role }, i) => i > answer && role === "user");
  return next < 0 ? messages.length : next;
}

/** The answer as a message. */
function messageOf(start: string, { text, toolCalls }: GenerationResult): ChatMessage {
  const message = { role: "assistant", content: start + text };
  return toolCalls?.length ? { ...message, tool_calls: toolCalls } : message;
}

function cutShort(): Error {
  const message = "the answer does not follow the constraint: the context has no room for the rest";
  return domException("SyntaxError", message);
}
