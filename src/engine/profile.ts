/** Chooses options that the caller leaves open for the device: what fits, and what else would. */
import platform from "#platform";
import { MAX_MEMORY_BYTES } from "../kernels/arena.js";
import type { PlmConfig } from "../model/config.js";
import { DEFAULT_BATCH, type ModelOptions, type Profile } from "./options.js";

/** An option that a profile chose, and why. */
export interface ProfileChoice {
  readonly option: "contextLength" | "cacheType" | "batchSize" | "threads" | "residentLayers";
  readonly value: number | string;
  readonly reason: string;
}

/** Options to plan with, and what of them a profile chose. */
export interface Attempt {
  readonly options: ModelOptions;
  readonly choices: readonly ProfileChoice[];
}

/** What `small` begins with: enough for a conversation on a phone. */
const SMALL_BATCH = 64;
const SMALL_CONTEXT = 2048;

/** The most threads of `small`: each takes megabytes, and phones have few fast processors. */
const SMALL_THREADS = 4;

/** What smaller plans end with. */
const LEAST_BATCH = 64;
const LEAST_CONTEXT = 256;

/** The part of a device's memory that a plan may take, if no limit says otherwise. */
const DEVICE_SHARE = 0.5;

/** Bytes that a plan may take, and their source in words. */
function limitOf({ memoryLimitBytes }: ModelOptions): { bytes: number; source: string } {
  if (memoryLimitBytes !== undefined) {
    return { bytes: memoryLimitBytes, source: `memoryLimitBytes, ${memoryLimitBytes}` };
  }
  const device = platform.deviceMemoryBytes();
  const bytes = Math.min((device ?? Infinity) * DEVICE_SHARE, MAX_MEMORY_BYTES);
  const source =
    bytes === MAX_MEMORY_BYTES ? "what a wasm memory can hold" : "half of this device's memory";
  return { bytes, source: `${source}, ${bytes} bytes` };
}

/**
 * The options of a profile, and then ever smaller ones, for the first that fits to be used; layers
 * are streamed last, and only if the model's file can be read again.
 */
export function* attempts(
  options: ModelOptions,
  profile: Profile,
  config: PlmConfig,
  canStream: boolean,
): Generator<Attempt> {
  const { bytes, source } = limitOf(options);
  const chosen = new Map<ProfileChoice["option"], ProfileChoice>();
  const attempt = (): Attempt => ({
    options: {
      ...options,
      ...Object.fromEntries(Array.from(chosen, ([option, { value }]) => [option, value])),
      memoryLimitBytes: bytes,
    },
    choices: [...chosen.values()],
  });
  const choose = (option: ProfileChoice["option"], value: number | string, reason: string) =>
    chosen.set(option, { option, value, reason });
  const { maxPositionEmbeddings, qkRopeHeadDim } = config;
  const isOpen = (option: keyof ModelOptions): boolean => options[option] === undefined;
  const canQuantizeCache = isOpen("cacheType") && qkRopeHeadDim % 32 === 0;
  const canShorten = isOpen("contextLength") && isOpen("cacheTokens");
  let context = maxPositionEmbeddings;
  let batch = Math.min(DEFAULT_BATCH, context);
  if (profile === "small") {
    const reason = 'profile "small"';
    batch = Math.min(SMALL_BATCH, context);
    if (isOpen("batchSize")) choose("batchSize", batch, reason);
    if (isOpen("threads") && platform.parallelism() > SMALL_THREADS) {
      choose("threads", SMALL_THREADS, reason);
    }
    if (canQuantizeCache) choose("cacheType", "q8_0", reason);
    if (canShorten && context > SMALL_CONTEXT) {
      context = SMALL_CONTEXT;
      choose("contextLength", context, reason);
    }
  }
  yield attempt();
  const reason = `to fit into ${source}`;
  while (isOpen("batchSize") && batch > LEAST_BATCH) {
    batch = Math.ceil(batch / 2);
    choose("batchSize", batch, reason);
    yield attempt();
  }
  if (canQuantizeCache && !chosen.has("cacheType")) {
    choose("cacheType", "q8_0", reason);
    yield attempt();
  }
  while (canShorten && context / 2 >= LEAST_CONTEXT) {
    context = Math.floor(context / 2);
    choose("contextLength", context, reason);
    yield attempt();
  }
  let layers = config.numHiddenLayers;
  while (canStream && isOpen("residentLayers") && layers > 1) {
    layers = Math.ceil(layers / 2);
    choose("residentLayers", layers, reason);
    yield attempt();
  }
}
