/** What is compared: every run differs from the first, which is PLM as the product trains it. */
import type { PlmConfig } from "../../src/model/config.js";
import type { ScheduleConfig } from "../../src/training/run/config.js";
import type { LayerParts } from "./architectures.js";

/** One kind of run. */
export interface Variant extends LayerParts {
  readonly name: string;
  readonly model: PlmConfig;
  readonly schedule: Omit<ScheduleConfig, "steps">;
}

const MODEL: PlmConfig = {
  vocabSize: 1024,
  hiddenSize: 96,
  intermediateSize: 384,
  numHiddenLayers: 3,
  numAttentionHeads: 4,
  kvLoraRank: 32,
  qkNopeHeadDim: 16,
  qkRopeHeadDim: 8,
  vHeadDim: 24,
  rmsNormEps: 1e-6,
  ropeTheta: 100000,
  maxPositionEmbeddings: 128,
};

const RATES = { peakRate: 3e-3, finalRate: 3e-4, curve: "cosine" } as const;
const WSDC = { ...RATES, warmup: 0.03, stable: 0.6, decay: 0.9 };
const COSINE = { ...RATES, warmup: 0.03, stable: 0.03, decay: 1 };

const PLM: Variant = {
  name: "plm",
  attention: "mla",
  activation: "relu2",
  model: MODEL,
  schedule: WSDC,
};

/** PLM but for some of its config and what else `change` says. */
function variant(name: string, model: Partial<PlmConfig>, change: Partial<Variant> = {}): Variant {
  return { ...PLM, name, ...change, model: { ...MODEL, ...model } };
}

/** The comparisons by name, and how a table calls each variant. */
export const COMPARISONS: Readonly<Record<string, ReadonlyMap<string, Variant>>> = {
  // A gate is a third matrix: two thirds of the neurons are as many parameters.
  activations: new Map([
    ["squared ReLU", PLM],
    ["SwiGLU", variant("swiglu", { intermediateSize: 256 }, { activation: "swiglu" })],
    ["GELU", variant("gelu", {}, { activation: "gelu" })],
  ]),
  // What the projections of keys and values have more, the MLP has less.
  attention: new Map([
    ["MLA, latent 32", PLM],
    ["MLA, latent 64", variant("latent-64", { kvLoraRank: 64, intermediateSize: 352 })],
    ["full attention", variant("full", { intermediateSize: 352 }, { attention: "full" })],
  ]),
  schedule: new Map([
    ["WSDC", PLM],
    ["cosine", variant("cosine", {}, { schedule: COSINE })],
  ]),
};

/** Numbers that the cache keeps of a token, in all layers. */
export function cacheNumbers({ attention, model }: Variant): number {
  const { kvLoraRank, qkNopeHeadDim, qkRopeHeadDim, vHeadDim } = model;
  const keysAndValues = model.numAttentionHeads * (qkNopeHeadDim + vHeadDim);
  const kept = attention === "mla" ? kvLoraRank : keysAndValues;
  return model.numHiddenLayers * (kept + qkRopeHeadDim);
}

/** Multiplications of the down-projections for a token, at a share of zeros. */
export function downProducts({ model, activation }: Variant, zeroShare: number): number {
  const read = activation === "relu2" ? 1 - zeroShare : 1;
  return model.numHiddenLayers * model.hiddenSize * model.intermediateSize * read;
}

/** Multiplications of a token's MLPs before the down-projections: a gate doubles them. */
export function upProducts({ model, activation }: Variant): number {
  const matrices = activation === "swiglu" ? 2 : 1;
  return model.numHiddenLayers * model.hiddenSize * model.intermediateSize * matrices;
}
