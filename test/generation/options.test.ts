import { test } from "uvu";
import * as assert from "uvu/assert";
import { PlmError } from "../../src/errors.js";
import { type GenerateOptions, resolveOptions } from "../../src/generation/options.js";

/** The message for options that the types would not let through. */
function messageFor(options: Record<string, unknown>): string {
  try {
    resolveOptions(options as GenerateOptions, 10);
  } catch (error) {
    assert.instance(error, PlmError);
    assert.is((error as PlmError).code, "INVALID_ARGUMENT");
    return (error as PlmError).message;
  }
  return "accepted";
}

test("the defaults", () => {
  const { seed, ...rest } = resolveOptions({}, 10);
  assert.ok(Number.isInteger(seed));
  assert.equal(rest, {
    maxTokens: Infinity,
    temperature: 0.8,
    topK: 40,
    topP: 0.95,
    minP: 0.05,
    typicalP: 1,
    topNSigma: 0,
    xtcProbability: 0,
    xtcThreshold: 0.1,
    dynatempRange: 0,
    dynatempExponent: 1,
    mirostat: 0,
    mirostatTau: 5,
    mirostatEta: 0.1,
    samplers: ["topNSigma", "topK", "typicalP", "topP", "minP", "xtc", "temperature"],
    repetitionPenalty: 1,
    repetitionWindow: 64,
    presencePenalty: 0,
    frequencyPenalty: 0,
    dryMultiplier: 0,
    dryBase: 1.75,
    dryAllowedLength: 2,
    dryWindow: Infinity,
    drySequenceBreakers: ["\n", ":", '"', "*"],
    logprobs: 0,
    logitBias: new Map(),
    stop: [],
    ignoreEos: false,
    responseFormat: undefined,
    special: false,
    signal: undefined,
  });
});

test("what is given stays", () => {
  const { signal } = new AbortController();
  const given = {
    maxTokens: 0,
    temperature: 0,
    topK: 0,
    topP: 0,
    minP: 1,
    seed: 2 ** 53 - 1,
    signal,
  };
  const resolved = resolveOptions({ ...given, stop: "x", ignoreEos: true }, 10);
  for (const [name, value] of Object.entries(given)) {
    assert.is(resolved[name as keyof typeof given], value, name);
  }
  assert.equal(resolved.stop, ["x"]);
  assert.is(resolved.ignoreEos, true);
});

test("undefined and null mean the default", () => {
  const nothing = { topK: null, stop: null, logitBias: null, signal: null, temperature: undefined };
  const resolved = resolveOptions(nothing as unknown as GenerateOptions, 10);
  assert.is(resolved.topK, 40);
  assert.is(resolved.temperature, 0.8);
  assert.equal(resolved.stop, []);
  assert.is(resolved.signal, undefined);
});

test("biases come as a map or as an object", () => {
  const expected = new Map([
    [3, -Infinity],
    [9, 2.5],
  ]);
  assert.equal(resolveOptions({ logitBias: expected }, 10).logitBias, expected);
  assert.equal(resolveOptions({ logitBias: { 3: -Infinity, 9: 2.5 } }, 10).logitBias, expected);
});

test("each field is checked", () => {
  const bad: [string, unknown[]][] = [
    ["maxTokens", [-1, 1.5, Number.NaN, "5", 5n]],
    ["temperature", [-0.1, Infinity, Number.NaN, true]],
    ["topK", [-1, 0.5, Infinity]],
    ["topP", [-0.1, 1.1, Number.NaN]],
    ["minP", [-0.1, 1.1, "0.1"]],
    ["typicalP", [-0.1, 1.1]],
    ["topNSigma", [-1, Infinity]],
    ["xtcProbability", [-0.1, 1.1]],
    ["xtcThreshold", [2, "0.1"]],
    ["dynatempRange", [-1, Number.NaN]],
    ["dynatempExponent", [0, Infinity]],
    ["mirostat", [3, -1, 0.5, "2", true]],
    ["mirostatTau", [0, -5]],
    ["mirostatEta", [-0.1, Infinity]],
    ["samplers", ["topK", ["top_k"], ["topK", "topK"], [1], {}]],
    ["repetitionPenalty", [0, -1, Infinity]],
    ["repetitionWindow", [-1, 1.5]],
    ["presencePenalty", [Infinity, Number.NaN, {}]],
    ["frequencyPenalty", [-Infinity, []]],
    ["dryMultiplier", [-1, Infinity]],
    ["dryBase", [0.5, Number.NaN]],
    ["dryAllowedLength", [0, 1.5]],
    ["dryWindow", [-1, 2.5]],
    ["drySequenceBreakers", [[""], 5, [1]]],
    ["seed", [-1, 0.5, 2 ** 53, "7"]],
    ["logprobs", [-1, true, Infinity]],
    ["stop", ["", ["a", ""], [1], 5, {}]],
    ["signal", [true, {}]],
    ["ignoreEos", [1, "yes"]],
    [
      "responseFormat",
      ["json", {}, { type: "xml" }, { type: "regex" }, { type: "json_schema", schema: 1 }],
    ],
    ["special", [0, "no"]],
    ["logitBias", [5, "x", { 10: 1 }, { "-1": 1 }, { "1.5": 1 }, { "": 1 }, new Map([["a", 1]])]],
    ["logitBias[1]", []],
  ];
  for (const [name, values] of bad) {
    for (const value of values) {
      assert.match(messageFor({ [name]: value }), new RegExp(`^${name}: expected .*, got `));
    }
  }
  for (const bias of [Infinity, Number.NaN, "1"]) {
    assert.match(messageFor({ logitBias: { 1: bias } }), /^logitBias\[1\]: expected .*, got /);
  }
});

test("one error names every bad field", () => {
  const message = messageFor({ topP: 2, seed: -1, stop: "", logitBias: { 99: 1 } });
  for (const name of ["topP", "seed", "stop", "logitBias"]) assert.match(message, name);
  assert.match(message, "a token id in [0, 10), got");
});

test("an error names the option it is about, for programs too", () => {
  const errorFor = (options: object): PlmError => {
    try {
      resolveOptions(options, 10);
    } catch (error) {
      return error as PlmError;
    }
    throw new Error("expected an error");
  };
  assert.is(errorFor({ topK: -1 }).argument, "topK");
  assert.is(errorFor({ logitBias: { 1: Number.NaN } }).argument, "logitBias");
  const { argument, cause } = errorFor({ topK: -1, stop: "" });
  assert.is(argument, undefined);
  const each = (cause as AggregateError).errors as PlmError[];
  assert.equal(
    each.map((error) => error.argument),
    ["topK", "stop"],
  );
});

test.run();
