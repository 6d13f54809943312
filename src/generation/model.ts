/** A loaded model as its users hold it: text in, text out, with the low layer within reach. */
import { kindOf } from "../describe.js";
import { Disposable } from "../disposable.js";
import type { LoadedPlm, ModelPlan, Variant } from "../engine/load.js";
import type { Session } from "../engine/session.js";
import { invalidArgument } from "../errors.js";
import type { MatmulRates } from "../kernels/choose-kernels.js";
import type { PlmConfig } from "../model/config.js";
import type { SparsityCount } from "../model/plm.js";
import {
  applyChatTemplate,
  type ChatMessage,
  type ChatTemplateOptions,
  chatTemplateOf,
} from "../tokenizer/chat.js";
import type { Tokenizer } from "../tokenizer/tokenizer.js";
import { Conversation, type ConversationOptions } from "./conversation.js";
import type { Evaluator } from "./evaluator.js";
import { generate } from "./generate.js";
import type { Generation } from "./generation.js";
import type { GenerateOptions } from "./options.js";

/** Options of `Model.chat`: those of `generate`, and how the template is filled. */
export interface ChatGenerateOptions extends GenerateOptions, ChatTemplateOptions {}

/** A model in memory. Made by `loadModel`. */
export class Model extends Disposable {
  readonly tokenizer: Tokenizer;
  readonly #loaded: LoadedPlm;

  constructor(loaded: LoadedPlm, tokenizer: Tokenizer) {
    super();
    this.#loaded = loaded;
    this.tokenizer = tokenizer;
  }

  /** The architecture's dims, named as in config.json. */
  get config(): PlmConfig {
    return this.#loaded.config;
  }

  /** Where everything lies in the model's memory. */
  get plan(): ModelPlan {
    return this.#loaded.plan;
  }

  /** Threads that compute at most, the caller's among them. */
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

  /** How many squared-ReLU activations there were so far, and how many were not zero; a copy. */
  get sparsity(): SparsityCount {
    return this.#loaded.sparsity;
  }

  /**
   * Share of squared-ReLU activations that were zero so far, 0 to 1; NaN before the first token.
   */
  get zeroShare(): number {
    return this.#loaded.zeroShare;
  }

  /**
   * Continues a text (or token ids) piece by piece:
   *
   *     for await (const piece of model.generate("Once upon a time")) show(piece);
   *
   * A text begins with the begin token where the file asks for it (`Tokenizer.addBosToken`); token
   * ids are taken as they are. Control tokens are not parsed in a text; encode it with `special`
   * and pass the ids for that. A session is taken while the generation runs and given back when it
   * ends. Throws PlmError as `generate` and `createSession` do.
   */
  generate(prompt: string | ArrayLike<number>, options: GenerateOptions = {}): Generation {
    const tokens =
      typeof prompt === "string" ? this.tokenizer.encode(prompt, { addBos: true }) : prompt;
    if (!Number.isSafeInteger(tokens?.length)) {
      throw invalidArgument("prompt", "a text or token ids", kindOf(prompt));
    }
    const evaluator = new BorrowedSession(this.#loaded);
    return generate(evaluator, this.tokenizer, tokens, options, {
      onEnd: () => evaluator.giveBack(),
    });
  }

  /**
   * Answers the last message of a conversation, with the file's chat template, all of which is
   * evaluated; `createConversation` makes one that goes on. Throws INVALID_ARGUMENT as
   * `applyChatTemplate` does.
   */
  chat(messages: readonly ChatMessage[], options: ChatGenerateOptions = {}): Generation {
    const text = applyChatTemplate(this.tokenizer, messages, options);
    return this.generate(this.tokenizer.encode(text, { special: true, addBos: true }), options);
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
   * Reads all weights once, front to back, and returns how many bytes that is: timed, it tells what
   * rate the memory allows.
   */
  readWeights(): number {
    return this.#loaded.readWeights();
  }

  /** Ends every session. The memory is freed when nothing refers to the model any more. */
  dispose(): void {
    this.#loaded.dispose();
  }
}

/** A session that is taken at the first evaluation. */
class BorrowedSession implements Evaluator {
  readonly #loaded: LoadedPlm;
  #session: Session | undefined;
  #logits: Float32Array | undefined;

  constructor(loaded: LoadedPlm) {
    this.#loaded = loaded;
  }

  get vocabSize(): number {
    return this.#loaded.config.vocabSize;
  }

  get contextLength(): number {
    return this.#loaded.plan.options.contextLength;
  }

  get length(): number {
    return this.#session?.length ?? 0;
  }

  get tokens(): Uint32Array {
    return this.#session?.tokens ?? new Uint32Array(0);
  }

  evaluate(tokens: ArrayLike<number>, options?: { signal?: AbortSignal }): Promise<Float32Array> {
    this.#session ??= this.#loaded.createSession();
    this.#logits ??= new Float32Array(this.vocabSize);
    return this.#session.evaluate(tokens, { ...options, out: this.#logits });
  }

  truncate(length: number): void {
    this.#session?.truncate(length);
  }

  giveBack(): void {
    this.#session?.dispose();
    this.#session = undefined;
  }
}
