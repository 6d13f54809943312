/** Plans where everything of a model lies in memory, from its header alone. */
import { type PagesPlan, pagesOf, planPages } from "../cache/pages.js";
import { cacheRowBytes } from "../cache/rows.js";
import { PlmError } from "../errors.js";
import { isRereadable } from "../format/byte-source.js";
import type { Gguf } from "../format/gguf.js";
import { MemoryPlan } from "../kernels/arena.js";
import { TIMING_BYTES } from "../kernels/choose-kernels.js";
import { readScratchBytes } from "../loading/read-weights.js";
import { WindowStaging } from "../loading/window-staging.js";
import { type BatchPlan, planBatch } from "../model/batch.js";
import { type Buffers, layoutBuffers } from "../model/buffers.js";
import { type PlmConfig, parseConfig } from "../model/config.js";
import { bindWeights, eachWeight, type PlmWeights, packedTotal } from "../model/weights.js";
import { type Meeting, planMeeting } from "./meeting.js";
import {
  checkChoice,
  checkOptions,
  type ModelOptions,
  type PlannedOptions,
  PROFILES,
} from "./options.js";
import { attempts, type ProfileChoice } from "./profile.js";

/**
 * Of smaller weights, one thread evaluates a token in less time than it takes to wake others, and
 * starting them or timing kernels takes longer than the rest of loading.
 */
const SMALL_BYTES = 16 << 20;

/** A model's places in memory, before there is one. */
export interface ModelPlan {
  readonly config: PlmConfig;
  readonly weights: PlmWeights;
  readonly pages: PagesPlan;
  readonly batch: BatchPlan;
  readonly buffers: Buffers;
  readonly meeting: Meeting;
  /** Where chunks of streamed layers are staged. */
  readonly windowPtr: number;
  readonly memory: MemoryPlan;
  readonly options: PlannedOptions;
  /** What `profile` chose. */
  readonly choices: readonly ProfileChoice[];
  /** Whether more threads than one, or a choice between kernels, would not pay. */
  readonly isSmall: boolean;
}

/**
 * The plan of a model, from its header alone. Throws what parseConfig and bindWeights throw,
 * INVALID_ARGUMENT for an option out of range, OUT_OF_MEMORY for a plan over the limit.
 */
export function planModel(gguf: Gguf, options: ModelOptions = {}): ModelPlan {
  const config = parseConfig(gguf.metadata);
  const { profile } = options;
  if (profile === undefined) return planWith(gguf, config, options, options.threads);
  checkChoice("profile", profile, PROFILES);
  let refusal: unknown;
  const canStream = gguf.sources.every(isRereadable);
  for (const attempt of attempts(options, profile, config, canStream)) {
    try {
      const plan = planWith(gguf, config, attempt.options, options.threads);
      // A small model has one thread whatever the profile.
      const choices = attempt.choices.filter(({ option, value }) => plan.options[option] === value);
      return { ...plan, choices };
    } catch (error) {
      if (PlmError.from(error)?.code !== "OUT_OF_MEMORY") throw error;
      refusal = error;
    }
  }
  throw refusal;
}

/** The plan with options as they are; `asked` is the caller's number of threads. */
function planWith(
  gguf: Gguf,
  config: PlmConfig,
  options: ModelOptions,
  asked: number | undefined,
): ModelPlan {
  const requested = checkOptions(options, config);
  const memory = new MemoryPlan();
  const weights = bindWeights(gguf, config, memory, requested.residentLayers);
  const isSmall = packedTotal(eachWeight(weights)) < SMALL_BYTES;
  const threads = isSmall && asked === undefined ? 1 : requested.threads;
  const checked = { ...requested, threads };
  const { contextLength, cacheType, cacheTokens, maxSequences } = checked;
  const layers = config.numHiddenLayers;
  const rowBytes = cacheRowBytes(cacheType, config);
  const count = layers * pagesOf(cacheTokens);
  const pages = planPages(memory, `latent cache ${cacheType}`, { rowBytes, count });
  // A header may claim any size: what would not fit is refused before its chunks are counted.
  memory.check(checked.memoryLimitBytes);
  // A token of each sequence that decodes, and those of the others.
  const rows = checked.batchSize + maxSequences;
  const sizes = { rows, contextLength, threads };
  const layout = layoutBuffers(config, sizes, 0);
  const stagingBytes = readScratchBytes(weights, threads);
  const scratchBytes = Math.max(layout.bytes, stagingBytes, TIMING_BYTES);
  const meeting = planMeeting(memory);
  const batch = planBatch(memory, { layers, rows, maxSequences, contextLength });
  const window = new WindowStaging(weights, threads, 0);
  const windowPtr = memory.add("scratch", "staging of streamed layers", window.bytes);
  const scratchPtr = memory.add("scratch", "activations, staging while loading", scratchBytes);
  const buffers = layoutBuffers(config, sizes, scratchPtr);
  memory.check(checked.memoryLimitBytes);
  return {
    config,
    weights,
    pages,
    batch,
    buffers,
    meeting,
    windowPtr,
    memory,
    options: checked,
    isSmall,
    choices: [],
  };
}
