/** How varied answers are: the options of a session, and what they are by default. */
import type {
  LanguageModelCreateCoreOptions,
  LanguageModelParams,
  SamplingMode,
} from "./specification.js";

/** The sampling of a session. */
export interface Sampling {
  readonly temperature: number;
  readonly topK: number;
  readonly mode: SamplingMode | null;
}

/** Temperature and topK of each mode. */
const MODES: Readonly<Record<SamplingMode, readonly [temperature: number, topK: number]>> = {
  "most-predictable": [0, 1],
  predictable: [0.3, 10],
  "slightly-predictable": [0.6, 20],
  balanced: [0.8, 40],
  "slightly-creative": [0.95, 60],
  creative: [1.1, 80],
  "most-creative": [1.3, 128],
};

/** What `LanguageModel.params()` resolves to. */
export const PARAMS: LanguageModelParams = {
  defaultTopK: 40,
  maxTopK: 128,
  defaultTemperature: 0.8,
  maxTemperature: 2,
};

/** The sampling that options ask for. Throws RangeError and TypeError as the specification says. */
export function samplingOf(options: LanguageModelCreateCoreOptions): Sampling {
  const { temperature, topK, samplingMode } = options;
  const { maxTemperature, maxTopK } = PARAMS;
  if (temperature === undefined && topK === undefined) {
    const mode = samplingMode ?? "balanced";
    const values = Object.hasOwn(MODES, mode) ? MODES[mode] : undefined;
    if (values === undefined) throw new TypeError(`samplingMode: got "${mode}"`);
    return { temperature: values[0], topK: values[1], mode };
  }
  if (samplingMode !== undefined) {
    throw new TypeError("samplingMode: expected neither topK nor temperature beside it");
  }
  const { defaultTemperature, defaultTopK } = PARAMS;
  if (!(Number(temperature ?? 0) >= 0)) throw new RangeError("temperature: expected at least 0");
  if (!(Number(topK ?? 1) >= 1)) throw new RangeError("topK: expected at least 1");
  return {
    temperature: Math.min(Number(temperature ?? defaultTemperature), maxTemperature),
    topK: Math.min(Math.floor(Number(topK ?? defaultTopK)), maxTopK),
    mode: null,
  };
}
