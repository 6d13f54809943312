/** The config of a training run from JSON: checked once, with every default filled in. */
import { PlmError } from "../../errors.js";
import type { PlmConfig } from "../../model/config.js";
import type {
  BatchConfig,
  Mix,
  OptimizerConfig,
  Phase,
  ScheduleConfig,
  TextConfig,
  TrainingConfig,
} from "./config.js";
import { ConfigReader, describe, isWithin, nearestOf } from "./config-reader.js";

const MAX_DIM = 1 << 20;
const MAX_STEPS = 1e9;
const MAX_ACCUMULATE = 4096;
/** The least vocabulary: bytes and one special token, rounded up to a multiple of 8. */
const MIN_VOCABULARY = 264;

const STEPS = { unit: 1, min: 1, max: MAX_STEPS } as const;

/** The config in a JSON text. Throws INVALID_CONFIG as `checkTrainingConfig` does. */
export function parseTrainingConfig(text: string): TrainingConfig {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new PlmError("INVALID_CONFIG", `config: expected JSON, got ${reason}`, { cause });
  }
  return checkTrainingConfig(json);
}

/**
 * The config of a JSON value, defaults filled in. Throws INVALID_CONFIG that names every key that
 * is unknown (with the nearest known one), missing, mistyped, out of range or inconsistent.
 */
export function checkTrainingConfig(json: unknown): TrainingConfig {
  const root = new ConfigReader(json, "", []);
  const texts = readTexts(root.child("texts"));
  const names = Object.keys(texts);
  const tokenizer = readTokenizer(root.child("tokenizer"), names);
  const batch = readBatch(root.child("batch"));
  const phases = readPhases(root.child("phases"), names);
  const config: TrainingConfig = {
    ...(root.has("name") && { name: root.text("name") }),
    model: readModel(root.child("model"), tokenizer.vocabSize, batch.contextLength),
    tokenizer,
    texts,
    phases,
    schedule: readSchedule(root.child("schedule")),
    batch,
    optimizer: readOptimizer(optional(root, "optimizer")),
    dropout: root.number("dropout", { min: 0, below: 1, fallback: 0 }),
    ...readEvaluation(root, names, batch.contextLength, phases),
    ...readSamples(root),
    checkpoint: readCheckpoint(optional(root, "checkpoint")),
    seed: root.number("seed", { unit: 1, min: 0, max: Number.MAX_SAFE_INTEGER, fallback: 0 }),
  };
  root.refuseUnknown();
  if (root.problems.length === 0) return config;
  throw new PlmError("INVALID_CONFIG", `config: ${root.problems.join("; ")}`);
}

/** The object of that key, or an empty one if it is missing. */
function optional(root: ConfigReader, key: string): ConfigReader {
  return root.has(key) ? root.child(key) : new ConfigReader({}, key, root.problems);
}

function readModel(reader: ConfigReader, vocabSize: number, contextLength: number): PlmConfig {
  const multiple = (unit: number) => ({ unit, min: unit, max: MAX_DIM });
  const model = {
    vocabSize,
    hiddenSize: reader.number("hiddenSize", multiple(32)),
    intermediateSize: reader.number("intermediateSize", multiple(32)),
    numHiddenLayers: reader.number("numHiddenLayers", { unit: 1, min: 1, max: 1024 }),
    numAttentionHeads: reader.number("numAttentionHeads", { unit: 1, min: 1, max: 1024 }),
    kvLoraRank: reader.number("kvLoraRank", multiple(32)),
    qkNopeHeadDim: reader.number("qkNopeHeadDim", multiple(8)),
    qkRopeHeadDim: reader.number("qkRopeHeadDim", multiple(8)),
    vHeadDim: reader.number("vHeadDim", multiple(8)),
    rmsNormEps: reader.number("rmsNormEps", { above: 0, below: 1, fallback: 1e-6 }),
    ropeTheta: reader.number("ropeTheta", { above: 0, fallback: 1e5 }),
    maxPositionEmbeddings: reader.number("maxPositionEmbeddings", multiple(1)),
  };
  const width = model.numAttentionHeads * model.vHeadDim;
  if (width % 32 > 0) reader.complain("numAttentionHeads * vHeadDim", "a multiple of 32", width);
  if (model.maxPositionEmbeddings < contextLength) {
    const expected = `at least batch.contextLength, ${contextLength}`;
    reader.complain("maxPositionEmbeddings", expected, model.maxPositionEmbeddings);
  }
  reader.refuseUnknown();
  return model;
}

/** Reports `name`, the value of `key`, unless it is a text's name. */
function checkName(reader: ConfigReader, key: string, name: unknown, names: string[]): void {
  if (typeof name === "string" && names.includes(name)) return;
  const nearest = typeof name === "string" ? nearestOf(name, names) : "";
  reader.complain(key, `a name in texts${nearest && `, such as ${describe(nearest)}`}`, name);
}

function readTexts(reader: ConfigReader): Record<string, TextConfig> {
  if (reader.present && reader.keys().length === 0) reader.complain("", "a text or more", {});
  const entries = reader.keys().map((name): [string, TextConfig] => {
    const text = reader.child(name);
    const path = text.text("path");
    const separator = text.has("separator") ? { separator: text.text("separator") } : {};
    text.refuseUnknown();
    return [name, { path, ...separator }];
  });
  return Object.fromEntries(entries);
}

function readTokenizer(reader: ConfigReader, names: string[]): TrainingConfig["tokenizer"] {
  const vocabSize = reader.number("vocabSize", { unit: 8, min: MIN_VOCABULARY, max: MAX_DIM });
  const texts = reader.value("texts");
  const list = Array.isArray(texts) ? [...new Set<string>(texts)] : [];
  if (list.length === 0) reader.complain("texts", "names of texts", texts);
  for (const name of list) checkName(reader, "texts", name, names);
  reader.refuseUnknown();
  return { vocabSize, texts: list };
}

function readPhases(reader: ConfigReader, names: string[]): Record<Phase, Mix> {
  const stable = readMix(reader.child("stable"), names);
  const decay = reader.has("decay") ? readMix(reader.child("decay"), names) : stable;
  const constant = reader.has("constant") ? readMix(reader.child("constant"), names) : decay;
  reader.refuseUnknown();
  return { stable, decay, constant };
}

function readMix(reader: ConfigReader, names: string[]): Mix {
  const mix = reader.keys().map((name): [string, number] => {
    checkName(reader, name, name, names);
    return [name, reader.number(name, { min: 0, max: 1e6 })];
  });
  if (reader.present && mix.every(([, weight]) => weight === 0)) {
    reader.complain("", "a text of a weight above 0", Object.fromEntries(mix));
  }
  return Object.fromEntries(mix);
}

function readSchedule(reader: ConfigReader): ScheduleConfig {
  const fraction = (fallback: number) => ({ min: 0, max: 1, fallback });
  const schedule: ScheduleConfig = {
    steps: reader.number("steps", STEPS),
    warmup: reader.number("warmup", fraction(0)),
    stable: reader.number("stable", fraction(1)),
    decay: reader.number("decay", fraction(1)),
    peakRate: reader.number("peakRate", { above: 0, max: 10 }),
    finalRate: reader.number("finalRate", { min: 0, max: 10 }),
    curve: reader.oneOf("curve", ["linear", "cosine", "exponential"]),
  };
  const { warmup, stable, decay, peakRate, finalRate, curve } = schedule;
  if (warmup > stable) reader.complain("warmup", `at most stable, ${stable}`, warmup);
  if (stable > decay) reader.complain("stable", `at most decay, ${decay}`, stable);
  if (finalRate > peakRate)
    reader.complain("finalRate", `at most peakRate, ${peakRate}`, finalRate);
  if (curve === "exponential" && finalRate === 0) {
    reader.complain("finalRate", "a number above 0, as the curve is exponential", finalRate);
  }
  reader.refuseUnknown();
  return schedule;
}

function readBatch(reader: ConfigReader): BatchConfig {
  const contextLength = reader.number("contextLength", { unit: 8, min: 16, max: MAX_DIM });
  const tokens = reader.number("tokens", { unit: 8, min: 16, max: MAX_DIM });
  if (tokens % contextLength > 0) {
    reader.complain("tokens", `a multiple of contextLength, ${contextLength}`, tokens);
  }
  const batch = { tokens, contextLength, accumulate: readAccumulate(reader) };
  reader.refuseUnknown();
  return batch;
}

function readAccumulate(reader: ConfigReader): [number, number][] {
  const value = reader.value("accumulate") ?? 1;
  const list: unknown[] = Array.isArray(value) ? value : [[0, value]];
  let from = -1;
  for (const entry of list) {
    const [start, count] = Array.isArray(entry) && entry.length === 2 ? entry : [];
    const fits =
      typeof start === "number" && start > from && start < 1 && (from >= 0 || start === 0);
    const counts = typeof count === "number" && isWithin(count, { ...STEPS, max: MAX_ACCUMULATE });
    if (!fits || !counts) {
      const most = `an integer from 1 to ${MAX_ACCUMULATE}`;
      const expected = `${most}, or [from, count] with rising fractions from 0 on`;
      reader.complain("accumulate", expected, Array.isArray(value) ? JSON.stringify(entry) : value);
      return [[0, 1]];
    }
    from = start;
  }
  if (list.length === 0)
    reader.complain("accumulate", "a count, or [from, count] once or more", "[]");
  return list as [number, number][];
}

function readOptimizer(reader: ConfigReader): OptimizerConfig {
  const optimizer = {
    beta1: reader.number("beta1", { min: 0, below: 1, fallback: 0.9 }),
    beta2: reader.number("beta2", { min: 0, below: 1, fallback: 0.95 }),
    epsilon: reader.number("epsilon", { above: 0, max: 1, fallback: 1e-8 }),
    weightDecay: reader.number("weightDecay", { min: 0, max: 10, fallback: 0.1 }),
    clip: reader.number("clip", { above: 0, fallback: 1 }),
    initStd: reader.number("initStd", { above: 0, max: 1, fallback: 0.02 }),
  };
  reader.refuseUnknown();
  return optimizer;
}

function readEvaluation(
  root: ConfigReader,
  names: string[],
  contextLength: number,
  phases: Readonly<Record<Phase, Mix>>,
): Pick<TrainingConfig, "evaluation"> {
  if (!root.has("evaluation")) return {};
  const reader = root.child("evaluation");
  const text = reader.text("text");
  if (text !== "") checkName(reader, "text", text, names);
  const learnt = Object.values(phases).some((mix) => Object.hasOwn(mix, text));
  if (learnt) reader.complain("text", "a text that is in no phase", text);
  const every = reader.number("every", STEPS);
  const most = Number.isNaN(contextLength) ? MAX_DIM : contextLength;
  const stride = reader.number("stride", { unit: 1, min: 1, max: most, fallback: most });
  reader.refuseUnknown();
  return { evaluation: { text, every, stride } };
}

function readSamples(root: ConfigReader): Pick<TrainingConfig, "samples"> {
  if (!root.has("samples")) return {};
  const reader = root.child("samples");
  const every = reader.number("every", STEPS);
  const prompt = reader.text("prompt");
  const tokens = reader.number("tokens", { unit: 1, min: 1, max: MAX_DIM, fallback: 64 });
  reader.refuseUnknown();
  return { samples: { every, prompt, tokens } };
}

function readCheckpoint(reader: ConfigReader): TrainingConfig["checkpoint"] {
  const every = reader.number("every", { ...STEPS, fallback: 100 });
  reader.refuseUnknown();
  return { every };
}
