/** A model whose engine runs in a worker. What it says of the engine is as of the last answer. */
import { checkOptions, checkSignal } from "../brands.js";
import { disposedModel } from "../engine/disposed.js";
import { disposedOf, endWhenDropped } from "../engine/dropped.js";
import type { CaptureOptions, LoadedModel, RestoreOptions } from "../engine/loaded-model.js";
import { type ModelPlan, planModel } from "../engine/plan.js";
import type { Session } from "../engine/session.js";
import type { MatmulRates } from "../kernels/choose-kernels.js";
import type { Variant } from "../kernels/load.js";
import type { ActivationCapture } from "../model/activations.js";
import type { SparsityCount } from "../model/relu2-mlp.js";
import { closeSources, type ModelSource, openSources } from "../sources/source.js";
import type { Channel } from "./channel.js";
import type { Loaded } from "./protocol.js";
import { RemoteSession, type RemoteSessionParts } from "./remote-session.js";
import { sendSource } from "./sent-source.js";

export class RemoteModel implements LoadedModel {
  readonly plan: ModelPlan;
  readonly threadFailure: Error | undefined;
  readonly variant: Variant;
  readonly kernelRates: MatmulRates | undefined;
  readonly #channel: Channel;
  readonly #decoder: unknown;
  #numbers = 0;
  #isDisposed = false;

  /** `decoder` is the one of its file. */
  constructor(channel: Channel, loaded: Loaded, decoder: unknown) {
    const { gguf, options, choices, threadFailure, variant, kernelRates } = loaded;
    this.plan = { ...planModel(gguf, options), choices };
    this.threadFailure = threadFailure === undefined ? undefined : new Error(threadFailure);
    this.variant = variant;
    this.kernelRates = kernelRates;
    this.#channel = channel;
    this.#decoder = decoder;
    endWhenDropped(this, () => channel.end(disposedModel()));
  }

  get threads(): number {
    return this.#isDisposed ? 1 : this.#channel.state.threads;
  }

  get pagesInUse(): number {
    return this.#isDisposed ? 0 : this.#channel.state.pagesInUse;
  }

  get sparsity(): SparsityCount {
    return { ...this.#channel.state.sparsity };
  }

  async readWeights(): Promise<number> {
    return (await this.#channel.call({ name: "readWeights" })) as number;
  }

  async captureActivations(options: CaptureOptions = {}): Promise<ActivationCapture> {
    checkOptions(options);
    this.#checkLive();
    const signal = checkSignal(options.signal);
    // A program that only waits for a token nobody generates may end.
    const { result } = this.#channel.start({ name: "captureActivations" }, { signal });
    return (await result) as ActivationCapture;
  }

  createSession(): Session {
    this.#checkLive();
    return this.createSessionUnchecked();
  }

  createSessionUnchecked(): Session {
    const session = ++this.#numbers;
    this.#channel.notify({ name: "create", session });
    return new RemoteSession(this.#sessionParts, session);
  }

  async restoreSession(
    source: ModelSource,
    options: RestoreOptions = {},
  ): Promise<{ session: Session; messages: string | undefined }> {
    this.#checkLive();
    const signal = checkSignal(options.signal);
    const { sent, sources } = await sendSource(source, options, openSources);
    const session = ++this.#numbers;
    try {
      const call = { name: "restore", session, source: sent } as const;
      const result = await this.#channel.call(call, { signal, sources });
      const { tokens, messages } = result as { tokens: Uint32Array; messages: string | undefined };
      return { session: new RemoteSession(this.#sessionParts, session, tokens), messages };
    } catch (error) {
      // It may be there all the same.
      this.#channel.notify({ name: "dispose", session });
      throw error;
    } finally {
      await closeSources(sources);
    }
  }

  dispose(): void {
    this.#isDisposed = true;
    disposedOf(this);
    this.#channel.end(disposedModel());
  }

  get #sessionParts(): RemoteSessionParts {
    const { contextLength, batchSize } = this.plan.options;
    const nextNumber = (): number => ++this.#numbers;
    return {
      ...{ config: this.plan.config, contextLength, batchSize },
      ...{ channel: this.#channel, nextNumber, decoder: this.#decoder, owner: this },
    };
  }

  #checkLive(): void {
    if (this.#isDisposed) throw disposedModel();
  }
}
