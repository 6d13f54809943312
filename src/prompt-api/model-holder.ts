/** The model of a LanguageModel: loaded once, when the first session is created. */
import type { Model } from "../generation/model.js";
import type { TransferProgress } from "../sources/transfer-rate.js";
import type { Availability } from "./specification.js";

/** What a model is loaded with: options of `loadModel`. */
export interface LoadingOptions {
  onProgress: (progress: TransferProgress) => void;
}

/** A model, or how it is loaded. */
export type PromptModel =
  | Model
  | PromiseLike<Model>
  | ((options: LoadingOptions) => Model | PromiseLike<Model>);

/** Loads the model once, and again after a failure. */
export class ModelHolder {
  readonly #model: PromptModel;
  #loading: Promise<Model> | undefined;
  #isLoaded: boolean;
  #loaded = 0;
  readonly #watchers = new Set<(loaded: number) => void>();

  constructor(model: PromptModel) {
    this.#model = model;
    this.#isLoaded = typeof model !== "function" && !("then" in model);
  }

  /** Whether the model is here, comes, or has to be loaded. */
  get availability(): Exclude<Availability, "unavailable"> {
    if (this.#isLoaded) return "available";
    const isComing = this.#loading !== undefined || typeof this.#model !== "function";
    return isComing ? "downloading" : "downloadable";
  }

  /** The model. `watch` is told how much of it is loaded, from 0 to 1, unless `signal` aborts. */
  async load(watch: (loaded: number) => void, signal: AbortSignal): Promise<Model> {
    const report = (loaded: number): void => {
      if (!signal.aborted) watch(loaded);
    };
    report(0);
    if (this.#loaded > 0 && !this.#isLoaded) report(this.#loaded);
    this.#watchers.add(report);
    try {
      this.#loading ??= this.#begin();
      const model = await this.#loading;
      report(1);
      return model;
    } finally {
      this.#watchers.delete(report);
    }
  }

  #begin(): Promise<Model> {
    const model = this.#model;
    const load = async (): Promise<Model> =>
      typeof model === "function" ? model(this.#options()) : model;
    return load().then(
      (loaded) => {
        this.#isLoaded = true;
        return loaded;
      },
      (error) => {
        this.#loading = undefined;
        this.#loaded = 0;
        throw error;
      },
    );
  }

  #options(): LoadingOptions {
    return {
      onProgress: ({ loadedBytes, totalBytes }) => {
        this.#loaded = totalBytes > 0 ? loadedBytes / totalBytes : 0;
        // The last event comes when the model is ready.
        if (this.#loaded >= 1) return;
        for (const watch of this.#watchers) watch(this.#loaded);
      },
    };
  }
}
