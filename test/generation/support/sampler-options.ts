/** Options of sampling under which nothing is cut and every token may come. */
import { SAMPLERS, type SamplerOptions } from "../../../src/generation/samplers.js";

export const OFF: SamplerOptions = {
  temperature: 1,
  topK: 0,
  topP: 1,
  minP: 0,
  typicalP: 1,
  topNSigma: 0,
  xtcProbability: 0,
  xtcThreshold: 0.1,
  dynatempRange: 0,
  dynatempExponent: 1,
  mirostat: 0,
  mirostatTau: 5,
  mirostatEta: 0.1,
  samplers: SAMPLERS,
};
