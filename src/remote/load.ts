/** Loads a model into a worker of its own. */
import platform from "#platform";
import type { CheckpointOptions } from "../checkpoint/open-model.js";
import type { LoadOptions } from "../engine/load.js";
import { PlmError } from "../errors.js";
import type { Gguf } from "../format/gguf.js";
import { checkScript, type ThreadScript } from "../platform/thread-worker.js";
import { closeSources, finishSources, type ModelSource, openWhole } from "../sources/source.js";
import { Channel } from "./channel.js";
import type { Loaded } from "./protocol.js";
import { RemoteModel } from "./remote-model.js";
import { sendOptions, sendScript } from "./sent-options.js";
import { sendSource } from "./sent-source.js";
import { startWorker } from "./start-worker.js";

/** Where the worker's script is: `true` is the package's own. */
export type WorkerOption = boolean | ThreadScript;

/**
 * A model in a worker, and the decoder of its file. Throws as loadPlm does, WORKER_LOST, and
 * UNSUPPORTED_RUNTIME where there are no workers.
 */
export async function loadInWorker<Decoder>(
  source: ModelSource,
  options: LoadOptions & CheckpointOptions,
  script: true | ThreadScript,
  decoderOf: (gguf: Gguf) => Decoder,
): Promise<{ model: RemoteModel; decoder: Decoder }> {
  const { signal, onProgress } = options;
  if (script !== true) checkScript("worker", script);
  const sentOptions = sendOptions(options);
  if (!platform.hasWorkers()) {
    const message = "worker: expected a runtime with workers, got one without";
    throw new PlmError("UNSUPPORTED_RUNTIME", message, { argument: "worker" });
  }
  signal?.throwIfAborted();
  const { sent, sources } = await sendSource(source, options, openWhole);
  let channel: Channel | undefined;
  let isHeld = false;
  try {
    const own = script === true ? undefined : sendScript(script);
    channel = new Channel(await startWorker(own, signal));
    const call = { name: "load", source: sent, options: sentOptions } as const;
    const { id, result } = channel.start(call, { signal, onProgress, sources });
    const loaded = (await channel.whileWaiting(result)) as Loaded;
    isHeld = loaded.isReading;
    if (isHeld) channel.hold(id, sources);
    await finishSources(sources, signal);
    const decoder = decoderOf(loaded.gguf);
    return { model: new RemoteModel(channel, loaded, decoder), decoder };
  } catch (error) {
    channel?.end(new PlmError("DISPOSED", "model: expected a loaded model, got none"));
    throw error;
  } finally {
    if (!isHeld) await closeSources(sources);
  }
}
