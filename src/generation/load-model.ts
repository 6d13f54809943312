/** Loads a model, or inspects it, from a source of bytes. */
import { checkOptions, checkSignal } from "../brands.js";
import { type CheckpointOptions, openModel } from "../checkpoint/open-model.js";
import { kindOf } from "../describe.js";
import { type LoadOptions, loadPlm } from "../engine/load.js";
import type { ModelOptions } from "../engine/options.js";
import { type ModelPlan, planModel } from "../engine/plan.js";
import { invalidArgument } from "../errors.js";
import type { ByteSource } from "../format/byte-source.js";
import type { Gguf } from "../format/gguf.js";
import { loadInWorker, type WorkerOption } from "../remote/load.js";
import {
  closeSources,
  finishSources,
  type ModelSource,
  openSources,
  openWhole,
} from "../sources/source.js";
import type { SourceOptions } from "../sources/source-options.js";
import { Tokenizer } from "../tokenizer/tokenizer.js";
import { Model } from "./model.js";

/**
 * Loads a PLM from a GGUF file: a path, URL, Response, Blob, file handle, bytes, stream, iterable
 * or byte-range reader, or the parts of a split file; or from a Hugging Face folder (config.json,
 * safetensors, tokenizer files): its path, or a list of its files. Tensors stream to their places;
 * the file is never held whole.
 *
 * Throws PlmError: INVALID_FILE, UNSUPPORTED_FILE, UNREADABLE_FILE, OUT_OF_MEMORY (from the header,
 * before any tensor is read), INVALID_ARGUMENT, UNSUPPORTED_RUNTIME, THREAD_LOST, WORKER_LOST. An
 * abort rejects with the signal's reason.
 */
export async function loadModel(
  source: ModelSource,
  options: LoadModelOptions = {},
): Promise<Model> {
  checkOptions(options);
  const { worker = false, ...rest } = options;
  if (worker !== false) {
    checkProgress(rest);
    checkSignal(rest.signal);
    const decoderOf = ({ metadata }: Gguf): Tokenizer => Tokenizer.fromMetadata(metadata);
    const { model, decoder } = await loadInWorker(source, rest, worker, decoderOf);
    return new Model(model, decoder);
  }
  return loadHere(source, rest);
}

async function loadHere(
  source: ModelSource,
  options: LoadOptions & CheckpointOptions,
): Promise<Model> {
  return withGguf(source, options, openWhole, async (gguf, sources) => {
    let tokenizer: Tokenizer | undefined;
    const loaded = await loadPlm(gguf, options, () => {
      tokenizer = Tokenizer.fromMetadata(gguf.metadata);
    });
    const model = new Model(loaded, tokenizer!);
    try {
      await finishSources(sources, checkSignal(options.signal));
    } catch (error) {
      model.dispose();
      throw error;
    }
    const isHeld = loaded.takeSources(() => closeSources(sources));
    return { result: model, isHeld };
  });
}

/** Options of `loadModel`. */
export interface LoadModelOptions extends LoadOptions, CheckpointOptions {
  /**
   * Run the engine in a worker of its own, so that the program's event loop stays free: with
   * `true` in the package's own script, else in that of `plm-wasm/worker` at a path or URL, or in a
   * worker that a function returns (docs/bundlers.md). Default false.
   */
  worker?: WorkerOption;
}

/** A file's contents, and its plan of memory. */
export interface Inspection {
  readonly gguf: Gguf;
  readonly plan: ModelPlan;
  readonly tokenizer: Tokenizer;
}

/**
 * Reads a model's header and plans its memory, without reading tensors. Throws as loadModel does.
 */
export async function inspectModel(
  source: ModelSource,
  options: ModelOptions & SourceOptions & CheckpointOptions & { signal?: AbortSignal } = {},
): Promise<Inspection> {
  return withGguf(source, options, openSources, async (gguf) => {
    const plan = planModel(gguf, options);
    return { result: { gguf, plan, tokenizer: Tokenizer.fromMetadata(gguf.metadata) } };
  });
}

/** What came of a file; if it is held, it is still read. */
interface Used<T> {
  readonly result: T;
  readonly isHeld?: boolean;
}

/** Opens and uses a file, and closes it unless it is held. */
async function withGguf<T>(
  source: ModelSource,
  options: Pick<LoadOptions, "signal" | "onProgress"> & SourceOptions & CheckpointOptions,
  open: typeof openSources,
  use: (gguf: Gguf, sources: readonly ByteSource[]) => Promise<Used<T>>,
): Promise<T> {
  checkOptions(options);
  checkProgress(options);
  const signal = checkSignal(options.signal);
  const sources = await open(source, signal, options);
  let isHeld: boolean | undefined = false;
  try {
    const used = await use(await openModel(sources, options, signal), sources);
    isHeld = used.isHeld;
    return used.result;
  } finally {
    if (!isHeld) await closeSources(sources);
  }
}

/** Throws INVALID_ARGUMENT for options that no later step checks by name. */
function checkProgress({ onProgress }: Pick<LoadOptions, "onProgress">): void {
  if (onProgress === undefined || typeof onProgress === "function") return;
  throw invalidArgument("onProgress", "a function", kindOf(onProgress));
}
