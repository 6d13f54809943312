/** A loaded model as its users hold it: text in, text out, with the low layer within reach. */
import { checkOptions } from "../brands.js";
import { kindOf } from "../describe.js";
import { Disposable } from "../disposable.js";
import type { Variant } from "../engine/load.js";
import type { CaptureOptions, LoadedModel, RestoreOptions } from "../engine/loaded-model.js";
import type { ModelPlan } from "../engine/plan.js";
import type { Session } from "../engine/session.js";
import { invalidArgument } from "../errors.js";
import type { MatmulRates } from "../kernels/choose-kernels.js";
import type { ActivationCapture } from "../model/activations.js";
import type { PlmConfig } from "../model/config.js";
import type { SparsityCount } from "../model/relu2-mlp.js";
import type { ModelSource } from "../sources/source.js";
import { type ChatMessage, type ChatTemplateOptions, chatTemplateOf } from "../tokenizer/chat.js";
import type { Tokenizer } from "../tokenizer/tokenizer.js";
import { type ChatGenerateOptions, prepareChat } from "./chat.js";
import { Conversation, type ConversationOptions } from "./conversation.js";
import { generate } from "./generate.js";
import type { Generation } from "./generation.js";
import type { GenerateOptions } from "./options.js";
import { decodeMessages } from "./saved-messages.js";

/** Options of `Model.restoreConversation`; none of them is saved with a conversation. */
export interface RestoreConversationOptions extends RestoreOptions, ChatTemplateOptions {}

/** A model in memory. Made by `loadModel`. */
export class Model extends Disposable {
  readonly tokenizer: Tokenizer;
  readonly #loaded: LoadedModel;

  constructor(loaded: LoadedModel, tokenizer: Tokenizer) {
    super();
    this.#loaded = loaded;
    this.tokenizer = tokenizer;
  }

  /** The architecture's dims, named as in config.json. */
  get config(): PlmConfig {
    return this.#loaded.plan.config;
  }

  /** Where everything lies in the model's memory. */
  get plan(): ModelPlan {
    return this.#loaded.plan;
  }

  /** Threads that compute at most, the caller's or its worker's among them. */
  get threads(): number {
    return this.#loaded.threads;
  }

  /**
   * Why fewer threads take part than were asked for or than there are processors: a bundler that
   * left out their script, a policy that forbids workers, too few processors. Undefined where as
   * many do, or fewer are faster.
   */
  get threadFailure(): Error | undefined {
    return this.#loaded.threadFailure;
  }

  /** The kernels that it computes with: `relaxed` where this runtime has them right. */
  get variant(): Variant {
    return this.#loaded.variant;
  }

  /** What one thread's products of many tokens reached while loading; undefined where not timed. */
  get kernelRates(): MatmulRates | undefined {
    return this.#loaded.kernelRates;
  }

  /**
   * Pages of the cache that sessions hold now, of `plan.pages.count`: 64 tokens of one layer each.
   * In a worker: at its last answer.
   */
  get pagesInUse(): number {
    return this.#loaded.pagesInUse;
  }

  /**
   * How many squared-ReLU activations there were so far, and how many were not zero; a copy. In a
   * worker: at its last answer.
   */
  get sparsity(): SparsityCount {
    return this.#loaded.sparsity;
  }

  /**
   * Share of squared-ReLU activations that were zero so far, 0 to 1; NaN before the first token.
   */
  get zeroShare(): number {
    const { activations, nonZero } = this.#loaded.sparsity;
    return 1 - nonZero / activations;
  }

  /**
   * Which neurons fire for the next token that is decoded, in all layers: of whichever sequence,
   * the first in its pass. Waits for one. Costs nothing while nobody waits, then less than a
   * hundredth of a token's time; ask again for each token that is to be shown:
   *
   *     const { layers, neurons, nonZero } = await model.captureActivations({ signal });
   *
   * Rejects with DISPOSED, WORKER_LOST, and the signal's reason.
   */
  captureActivations(options: CaptureOptions = {}): Promise<ActivationCapture> {
    return this.#loaded.captureActivations(options);
  }

  /**
   * Continues a text (or token ids) piece by piece:
   *
   *     for await (const piece of model.generate("Once upon a time")) show(piece);
   *
   * A text begins with the begin token where the file asks for it (`Tokenizer.addBosToken`); token
   * ids are taken as they are. Control tokens are not parsed in a text; encode it with `special`
   * and pass the ids for that. Throws PlmError as `generate` does.
   */
  generate(prompt: string | ArrayLike<number>, options: GenerateOptions = {}): Generation {
    const tokens =
      typeof prompt === "string" ? this.tokenizer.encode(prompt, { addBos: true }) : prompt;
    if (!Number.isSafeInteger(tokens?.length)) {
      throw invalidArgument("prompt", "a text or token ids", kindOf(prompt));
    }
    return this.#generate(tokens, options, false);
  }

  #generate(tokens: ArrayLike<number>, options: GenerateOptions, takesCalls: boolean): Generation {
    const session = this.#loaded.createSessionUnchecked();
    const onEnd = (): void => session.dispose();
    return generate(session, this.tokenizer, tokens, options, { onEnd, takesCalls });
  }

  /**
   * Answers the last message of a conversation, with the file's chat template, all of which is
   * evaluated; `createConversation` makes one that goes on. With `tools` the model may call them:
   *
   *     const { text, toolCalls } = await model.chat(messages, { tools }).result();
   *
   * Calls are not part of the text. Push `{ role: "assistant", content: text, tool_calls: toolCalls
   * }` and a message `{ role: "tool", content, tool_call_id }` for each result, and chat again.
   * Throws INVALID_ARGUMENT as `applyChatTemplate` does, for wrong tools, and for a
   * `responseFormat` that is neither text nor JSON beside them.
   */
  chat(messages: readonly ChatMessage[], options: ChatGenerateOptions = {}): Generation {
    const chat = prepareChat(this.tokenizer, messages, options);
    return this.#generate(chat.tokens, chat.options, chat.mayCall);
  }

  /**
   * A conversation with a session of its own, of which every answer evaluates only what is new:
   *
   *     for await (const piece of conversation.ask("Hi")) show(piece);
   *
   * Dispose of it to give its session back. Throws as its constructor and `createSession` do.
   */
  createConversation(options: ConversationOptions = {}): Conversation {
    chatTemplateOf(this.tokenizer, options);
    const session = this.createSession();
    return new Conversation({ session, tokenizer: this.tokenizer }, options);
  }

  /** An empty session, for work with tokens and logits; dispose of it to give its cache back. */
  createSession(): Session {
    return this.#loaded.createSession();
  }

  /**
   * The session that `Session.save` saved, of this model in whichever runtime, on any number of
   * threads: it goes on where it was, bit for bit where the same kernels compute (`variant`, and
   * what loading chose of the relaxed one by timing). The source is one file, as `loadModel` takes
   * it. Throws INVALID_FILE for a damaged one, UNSUPPORTED_FILE for that of another model, cache
   * type or version, CONTEXT_FULL, CACHE_FULL, DISPOSED, and as `loadModel` for a source that
   * cannot be read; nothing is taken then.
   */
  async restoreSession(source: ModelSource, options: RestoreOptions = {}): Promise<Session> {
    checkOptions(options);
    const { session } = await this.#loaded.restoreSession(source, options);
    return session;
  }

  /**
   * The conversation that `Conversation.save` saved, with its messages, the system message among
   * them; its next answer evaluates only what is new. Throws as `restoreSession` does, INVALID_FILE
   * for messages that are none, UNSUPPORTED_FILE for a session that was saved without messages,
   * and INVALID_ARGUMENT as `createConversation`.
   */
  async restoreConversation(
    source: ModelSource,
    options: RestoreConversationOptions = {},
  ): Promise<Conversation> {
    chatTemplateOf(this.tokenizer, options);
    const { session, messages } = await this.#loaded.restoreSession(source, options);
    try {
      const parts = { session, tokenizer: this.tokenizer, messages: decodeMessages(messages) };
      return new Conversation(parts, options);
    } catch (error) {
      session.dispose();
      throw error;
    }
  }

  /**
   * Reads all weights once, front to back, and resolves to how many bytes that is: timed, it says
   * what rate the memory allows.
   */
  readWeights(): Promise<number> {
    return this.#loaded.readWeights();
  }

  /** Ends every session. The memory is freed when nothing refers to the model any more. */
  dispose(): void {
    this.#loaded.dispose();
  }
}
