/** The config of a training run, which `parseTrainingConfig` reads from JSON. */
import type { PlmConfig } from "../../model/config.js";

/** A text for training or for measuring. */
export interface TextConfig {
  /** Its path as in the config; the caller resolves relative paths. */
  readonly path: string;
  /** What separates documents; without it, the whole file is one document. */
  readonly separator?: string;
}

/** The share of each text by its name, in tokens; the sum need not be 1. */
export type Mix = Readonly<Record<string, number>>;

/** The phases of WSDC that have their own data; the warm-up is part of the stable phase. */
export type Phase = "stable" | "decay" | "constant";

/** How the rate falls from peak to final. */
export type Curve = "linear" | "cosine" | "exponential";

/** The WSDC schedule (spec: PLM's pre-training). Fractions are of the whole run's steps. */
export interface ScheduleConfig {
  /** Updates of the run. */
  readonly steps: number;
  /** Where the warm-up ends. */
  readonly warmup: number;
  /** Where the stable phase ends. */
  readonly stable: number;
  /** Where the decay ends; the rest is constant. */
  readonly decay: number;
  readonly peakRate: number;
  readonly finalRate: number;
  readonly curve: Curve;
}

/** Tokens of an update: accumulated micro-batches of packed sequences. */
export interface BatchConfig {
  /** Tokens of a micro-batch, a multiple of contextLength. */
  readonly tokens: number;
  /** Tokens of a sequence. */
  readonly contextLength: number;
  /** Micro-batches of an update, each count from a fraction of the run on, the first from 0. */
  readonly accumulate: readonly (readonly [from: number, count: number])[];
}

/** AdamW with decoupled decay, clipping by the global norm, and the initial weights. */
export interface OptimizerConfig {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** The largest global norm of a gradient. */
  readonly clip: number;
  /** Standard deviation of the initial weights. */
  readonly initStd: number;
}

/** A checked training config. */
export interface TrainingConfig {
  /** The model's name: general.name of its file. */
  readonly name?: string;
  /** The shape; vocabSize is the tokenizer's. */
  readonly model: PlmConfig;
  /** The tokenizer is trained on these texts. */
  readonly tokenizer: { readonly vocabSize: number; readonly texts: readonly string[] };
  readonly texts: Readonly<Record<string, TextConfig>>;
  /** A phase without a mix continues that of the phase before. */
  readonly phases: Readonly<Record<Phase, Mix>>;
  readonly schedule: ScheduleConfig;
  readonly batch: BatchConfig;
  readonly optimizer: OptimizerConfig;
  /** The share of embeddings and of sublayers' outputs that each batch drops. */
  readonly dropout: number;
  /** Measures held-out loss every `every` steps; windows advance by `stride` tokens. */
  readonly evaluation?: { readonly text: string; readonly every: number; readonly stride: number };
  /** Text by the model, every `every` steps. */
  readonly samples?: { readonly every: number; readonly prompt: string; readonly tokens: number };
  readonly checkpoint: { readonly every: number };
  readonly seed: number;
}
