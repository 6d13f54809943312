import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { parseTrainingConfig } from "../../../src/training/run/parse-config.js";
import { assertThrows } from "../../model/support/engine.js";
import { type ConfigJson, configJson, trainingConfig } from "../support/config.js";

/** Fails unless the changed config is refused with a message that has each of the parts. */
function assertRefused(change: (json: ConfigJson) => void, ...parts: string[]): void {
  assertThrows(() => trainingConfig(change), "INVALID_CONFIG", ...parts);
}

/** Fails unless `value` at section.key is refused with these parts. */
function assertValueRefused(path: string, value: unknown, ...parts: string[]): void {
  const [section, key] = path.split(".");
  assertRefused(
    (json) => {
      json[section] = { ...json[section], [key]: value };
    },
    path,
    ...parts,
  );
}

test("a sound config, defaults filled in", () => {
  const config = trainingConfig();
  assert.equal(config.model, {
    ...configJson().model,
    ...{ vocabSize: 512, rmsNormEps: 1e-6, ropeTheta: 1e5 },
  });
  assert.equal(config.texts.stories, { path: "stories.txt", separator: "<|endoftext|>" });
  assert.equal(config.texts.prose, { path: "prose.txt" });
  assert.equal(config.batch.accumulate, [[0, 1]]);
  assert.equal(config.evaluation, { text: "held", every: 100, stride: 64 });
  assert.is(config.samples, undefined);
  assert.equal(config.checkpoint, { every: 100 });
  assert.is(config.seed, 0);
  assert.is(config.dropout, 0);
  assert.equal(config.optimizer, {
    ...{ beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, clip: 1, initStd: 0.02 },
  });
});

test("a phase without a mix has that of the phase before", () => {
  const { phases } = trainingConfig();
  assert.equal(phases.decay, { stories: 1 });
  assert.equal(phases.constant, phases.decay);
  const one = trainingConfig((json) => {
    json.phases = { stable: { prose: 2 } };
  });
  assert.equal(one.phases.decay, { prose: 2 });
  assert.equal(one.phases.constant, { prose: 2 });
});

test("what is given is kept", () => {
  const config = trainingConfig((json) => {
    json.batch.accumulate = [
      [0, 1],
      [0.25, 4],
    ];
    json.evaluation.stride = 16;
    json.samples = { every: 50, prompt: "Once", tokens: 20 };
    json.checkpoint = { every: 7 };
    Object.assign(json, { seed: 2 ** 53 - 1 });
    json.optimizer = { beta2: 0.99, clip: 0.5 };
    json.schedule.curve = "exponential";
  });
  assert.equal(config.batch.accumulate, [
    [0, 1],
    [0.25, 4],
  ]);
  assert.is(config.evaluation!.stride, 16);
  assert.equal(config.samples, { every: 50, prompt: "Once", tokens: 20 });
  assert.is(config.checkpoint.every, 7);
  assert.is(config.seed, 2 ** 53 - 1);
  assert.is(config.optimizer.beta2, 0.99);
  assert.is(config.schedule.curve, "exponential");
});

test("unknown keys are named with the nearest known one", () => {
  assertValueRefused("model.hiddensize", 64, "unknown key", "hiddenSize");
  assertValueRefused("schedule.warmUp", 0.1, "unknown key", "nearest known one is warmup");
  assertValueRefused("batch.acumulate", 2, "nearest known one is accumulate");
  assertValueRefused("evaluation.stryde", 2, "nearest known one is stride");
  assertRefused((json) => Object.assign(json, { modle: {} }), "modle", "is model");
  assertRefused(
    (json) => Object.assign(json.texts, { prose: { Path: "x" } }),
    "texts.prose.Path",
    "path",
  );
});

test("names that are no text's are named with the nearest one", () => {
  assertRefused(
    (json) => Object.assign(json.phases, { decay: { storys: 1 } }),
    "phases.decay.storys",
  );
  assertValueRefused("tokenizer.texts", ["story"], 'such as "stories"', 'got "story"');
  assertValueRefused("evaluation.text", "helt", 'such as "held"', 'got "helt"');
  assertValueRefused("evaluation.text", "prose", "a text that is in no phase");
});

test("every missing required key is named, all at once", () => {
  const required = {
    model: ["hiddenSize", "intermediateSize", "numHiddenLayers", "numAttentionHeads"],
    tokenizer: ["vocabSize", "texts"],
    schedule: ["steps", "peakRate", "finalRate"],
    batch: ["tokens", "contextLength"],
    evaluation: ["text", "every"],
  };
  const paths = Object.entries(required).flatMap(([section, keys]) =>
    keys.map((key) => `${section}.${key}: expected`),
  );
  assertRefused(
    (json) => {
      for (const section of Object.keys(required)) json[section] = {};
    },
    ...paths,
  );
  for (const section of ["model", "tokenizer", "texts", "phases", "schedule", "batch"]) {
    assertRefused((json) => delete json[section], `${section}: expected an object, got nothing`);
  }
});

test("impossible dims are named with what they must be", () => {
  for (const key of ["hiddenSize", "intermediateSize", "kvLoraRank"]) {
    assertValueRefused(`model.${key}`, 48, "a multiple of 32", "got 48");
    assertValueRefused(`model.${key}`, 2 ** 30, "to 1048576");
  }
  for (const key of ["qkNopeHeadDim", "qkRopeHeadDim", "vHeadDim"]) {
    assertValueRefused(`model.${key}`, 12, "a multiple of 8", "got 12");
    assertValueRefused(`model.${key}`, 0, "a multiple of 8 from 8", "got 0");
  }
  assertRefused(
    (json) => Object.assign(json.model, { numAttentionHeads: 1 }),
    "* vHeadDim",
    "got 16",
  );
  assertValueRefused("tokenizer.vocabSize", 4094, "a multiple of 8", "got 4094");
  assertValueRefused("tokenizer.vocabSize", 256, "from 264");
  assertValueRefused("batch.contextLength", 8, "from 16", "got 8");
  assertValueRefused("batch.tokens", 200, "a multiple of contextLength, 64", "got 200");
  assertValueRefused("model.maxPositionEmbeddings", 32, "at least batch.contextLength, 64");
});

test("numbers of another type, not finite, fractional or out of range", () => {
  for (const value of ["3", null, true, [], {}, -1, 0, 1.5, 1e12]) {
    assertValueRefused("schedule.steps", value, "an integer from 1");
  }
  assertValueRefused("schedule.peakRate", 0, "above 0");
  assertValueRefused("schedule.warmup", 1.5, "from 0 to 1");
  assertValueRefused("schedule.warmup", 0.7, "at most stable, 0.6");
  assertValueRefused("schedule.stable", 0.95, "at most decay, 0.9");
  assertValueRefused("schedule.finalRate", 4e-3, "at most peakRate");
  assertValueRefused("schedule.curve", "square", '"linear" or "cosine" or "exponential"');
  assertValueRefused("optimizer.beta1", 1, "below 1");
  // What is in range as f64 alone: kernels compute in f32.
  assertValueRefused("optimizer.beta2", 0.99999999, "below 1");
  assertValueRefused("optimizer.epsilon", 1e-50, "above 0");
  assertValueRefused("optimizer.clip", 1e39, "above 0");
  assertRefused((json) => Object.assign(json, { dropout: 0.99999999 }), "dropout", "below 1");
  assertRefused((json) => Object.assign(json, { dropout: 1 }), "dropout: expected", "below 1");
  assertRefused((json) => Object.assign(json, { seed: -1 }), "seed: expected an integer");
  assertRefused(
    (json) => Object.assign(json.schedule, { curve: "exponential", finalRate: 0 }),
    "schedule.finalRate",
    "the curve is exponential",
  );
});

test("mixes without weight, below zero or of no text", () => {
  const refused = (stable: unknown, ...parts: string[]) =>
    assertRefused((json) => Object.assign(json.phases, { stable }), ...parts);
  refused({}, "phases.stable: expected a text of a weight above 0");
  refused({ stories: 0 }, "phases.stable");
  refused({ stories: -1 }, "phases.stable.stories: expected an f32 number from 0");
  refused({ stories: "1" }, "phases.stable.stories", 'got "1"');
  refused([1], "phases.stable: expected an object, got an array");
});

test("accumulation that does not rise from 0", () => {
  const wrong = [0, 1.5, "2", [], [[0.5, 1]], [[0, 1, 2]], [[0, 0]], [[0, 1], 2]];
  const sorted = [
    [0, 1],
    [0.5, 2],
    [0.5, 4],
  ];
  for (const value of [
    ...wrong,
    sorted,
    [
      [0, 1],
      [1, 2],
    ],
  ]) {
    assertValueRefused("batch.accumulate", value, "expected");
  }
});

test("several faults are one error", () => {
  assertRefused(
    (json) => {
      json.model.hiddenSize = 33;
      json.model.speed = 1;
      json.batch.tokens = "many";
      json.schedule.curve = "steep";
      json.texts.prose = { path: "" };
    },
    ...["model.hiddenSize", "model.speed", "batch.tokens", "schedule.curve", "texts.prose.path"],
  );
});

test("what is no JSON, or no object", () => {
  assertThrows(() => parseTrainingConfig("{"), "INVALID_CONFIG", "expected JSON");
  assertThrows(() => parseTrainingConfig(""), "INVALID_CONFIG", "expected JSON");
  for (const text of ["[]", "null", "7", '"text"']) {
    assertThrows(() => parseTrainingConfig(text), "INVALID_CONFIG", "config: expected an object");
  }
});

test("names of the language's own are texts like others", () => {
  const text = JSON.stringify(configJson()).replaceAll("stories", "__proto__");
  const config = parseTrainingConfig(text);
  assert.equal(Object.keys(config.texts), ["__proto__", "prose", "held"]);
  assert.equal(Object.keys(config.phases.decay), ["__proto__"]);
});

test("the example's config is sound, and its documentation has every key, no other", () => {
  const config = parseTrainingConfig(readFileSync("examples/train/stories.json", "utf8"));
  const documented = readFileSync("docs/training.md", "utf8");
  const [, section] = documented.split(/^## .*$/m);
  const rows = section.split("\n").filter((line) => line.startsWith("| `"));
  const told = rows.flatMap((row) => row.split("|")[1].match(/[a-z][\w.]*/gi) ?? []);
  const { texts, model, name: _, ...sections } = config;
  const { vocabSize, ...shape } = model;
  const known = Object.entries({ ...sections, model: shape }).flatMap(([name, value]) =>
    typeof value === "object" ? Object.keys(value).map((key) => `${name}.${key}`) : name,
  );
  const own = ["name", "texts.NAME.path", "texts.NAME.separator"];
  assert.equal(told.toSorted(), [...known, ...own].toSorted());
});

test.run();
