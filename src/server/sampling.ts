/** The fields of sampling, by OpenAI's, llama-server's and Ollama's names, as the library's. */
import type { GenerateOptions } from "../generation/options.js";
import type { SamplerName } from "../generation/samplers.js";
import type { Fields } from "./fields.js";
import { badField } from "./http-error.js";

type OptionName = keyof GenerateOptions;

/** Fields of numbers that the library checks itself: its option, then the names of the field. */
const NUMBERS: readonly (readonly [OptionName, ...string[]])[] = [
  ["temperature", "temperature"],
  ["topP", "top_p"],
  ["minP", "min_p"],
  ["typicalP", "typical_p", "typ_p"],
  ["topNSigma", "top_n_sigma"],
  ["xtcProbability", "xtc_probability"],
  ["xtcThreshold", "xtc_threshold"],
  ["dynatempRange", "dynatemp_range"],
  ["dynatempExponent", "dynatemp_exponent"],
  ["mirostat", "mirostat"],
  ["mirostatTau", "mirostat_tau"],
  ["mirostatEta", "mirostat_eta"],
  ["repetitionPenalty", "repeat_penalty"],
  ["presencePenalty", "presence_penalty"],
  ["frequencyPenalty", "frequency_penalty"],
  ["dryMultiplier", "dry_multiplier"],
  ["dryBase", "dry_base"],
  ["dryAllowedLength", "dry_allowed_length"],
];

/** Fields of which -1 means as much as there is. */
const ENDLESS: readonly (readonly [OptionName, string])[] = [
  ["repetitionWindow", "repeat_last_n"],
  ["dryWindow", "dry_penalty_last_n"],
];

/** llama.cpp's names of the steps that choose a token. */
const STEPS: Readonly<Record<string, SamplerName>> = {
  top_n_sigma: "topNSigma",
  top_k: "topK",
  typ_p: "typicalP",
  typical_p: "typicalP",
  top_p: "topP",
  min_p: "minP",
  xtc: "xtc",
  temperature: "temperature",
};

/** Most stop strings, and most texts that end a repetition. */
const MOST_TEXTS = 64;

/** Steps that always come first, in this order. */
const FIRST_STEPS = ["penalties", "dry"];

/**
 * The options of sampling among the fields; `maxTokens` are the names of the field that limits the
 * answer. The library refuses values out of range when it is given them.
 */
export function readSampling(fields: Fields, maxTokens: readonly string[]): GenerateOptions {
  const options: Record<string, unknown> = {};
  const set = (option: OptionName, value: unknown, name: string): void => {
    fields.names.set(option, fields.pathOf(name));
    if (value !== undefined) options[option] = value;
  };
  for (const [option, ...names] of NUMBERS) set(option, ...fields.takeAny(...names));
  for (const [option, name] of ENDLESS) {
    const value = fields.take(name);
    set(option, value === -1 ? Infinity : value, name);
  }
  const [most, nameOfMost] = fields.takeAny(...maxTokens);
  set("maxTokens", most === -1 ? Infinity : most, nameOfMost);
  const topK = fields.take("top_k");
  set("topK", typeof topK === "number" && topK < 0 ? 0 : topK, "top_k");
  const seed = fields.take("seed");
  set("seed", seed === -1 ? undefined : seed, "seed");
  set("stop", readTexts(fields, "stop"), "stop");
  const breakers = "dry_sequence_breakers";
  set("drySequenceBreakers", readTexts(fields, breakers), breakers);
  set("ignoreEos", fields.take("ignore_eos"), "ignore_eos");
  set("logitBias", readBias(fields), "logit_bias");
  fields.names.set("samplers", fields.pathOf("samplers"));
  return { ...options, ...readSteps(fields) };
}

/** The options for one of several answers: each has a seed of its own. */
export function optionsOfChoice(options: GenerateOptions, index: number): GenerateOptions {
  const { seed } = options;
  return typeof seed === "number" ? { ...options, seed: seed + index } : options;
}

/** A list of texts, which the library checks, and which each token is compared with. */
function readTexts(fields: Fields, name: string): unknown {
  const value = fields.take(name);
  if (!Array.isArray(value) || value.length <= MOST_TEXTS) return value;
  throw badField(fields.pathOf(name), `at most ${MOST_TEXTS} texts`, String(value.length));
}

/** `logit_bias`: OpenAI's object, or llama-server's pairs; -100 and false ban a token. */
function readBias(fields: Fields): ReadonlyMap<number, number> | undefined {
  const value = fields.take("logit_bias");
  if (value === undefined) return undefined;
  const expected = "an object of token ids and numbers from -100 to 100";
  if (typeof value !== "object") throw fields.wrong("logit_bias", expected);
  const pairs: readonly unknown[] = Array.isArray(value) ? value : Object.entries(value!);
  const biases = new Map<number, number>();
  for (const pair of pairs) {
    const [key, given] = Array.isArray(pair) ? (pair as unknown[]) : [];
    const id = typeof key === "string" && /^\d{1,9}$/.test(key) ? Number(key) : key;
    const bias = given === false ? -100 : given;
    const isValid = typeof bias === "number" && bias >= -100 && bias <= 100;
    if (!Number.isSafeInteger(id) || !isValid) throw fields.wrong("logit_bias", expected);
    biases.set(id as number, bias <= -100 ? -Infinity : bias);
  }
  return biases;
}

/** `samplers`: steps that it leaves out do nothing. */
function readSteps(fields: Fields): GenerateOptions {
  const names = fields.list("samplers");
  if (names === undefined) return {};
  const first = names.filter((name) => FIRST_STEPS.includes(name as string));
  const others = names.slice(first.length);
  const inOrder = FIRST_STEPS.filter((name) => first.includes(name));
  const isFirst = first.every((name, i) => name === names[i] && name === inOrder[i]);
  const isKnown = others.every((name) => typeof name === "string" && Object.hasOwn(STEPS, name));
  if (!isFirst || !isKnown) {
    const steps = Object.keys(STEPS).filter((name) => name !== "typical_p");
    throw fields.wrong("samplers", `penalties and dry first, then some of ${steps.join(", ")}`);
  }
  return {
    samplers: others.map((name) => STEPS[name as string]),
    ...(!first.includes("penalties") && {
      ...{ repetitionPenalty: 1, presencePenalty: 0, frequencyPenalty: 0 },
    }),
    ...(!first.includes("dry") && { dryMultiplier: 0 }),
  };
}
