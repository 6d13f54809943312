import { test } from "uvu";
import * as assert from "uvu/assert";
import type { LogitsProcessor } from "../../src/generation/logits-processor.js";
import {
  createLogitsProcessors,
  type LogitsProcessorOptions,
} from "../../src/generation/logits-processors.js";

const OFF: LogitsProcessorOptions = {
  repetitionPenalty: 1,
  repetitionWindow: 64,
  presencePenalty: 0,
  frequencyPenalty: 0,
  dryMultiplier: 0,
  dryBase: 1.75,
  dryAllowedLength: 2,
  dryWindow: Infinity,
  drySequenceBreakers: [],
  logitBias: new Map(),
};

const textOf = (): string => "";

function processed(
  options: Partial<LogitsProcessorOptions>,
  promptTokens: number[],
  tokens: number[],
  logits = [4, -4, 2, 0],
): number[] {
  const values = Float32Array.from(logits);
  const processors: LogitsProcessor[] = createLogitsProcessors({ ...OFF, ...options }, textOf);
  for (const process of processors) process(values, { promptTokens, tokens });
  return Array.from(values);
}

test("nothing to do, no processor", () => {
  assert.is(createLogitsProcessors(OFF, textOf).length, 0);
  assert.is(
    createLogitsProcessors({ ...OFF, repetitionPenalty: 2, repetitionWindow: 0 }, textOf).length,
    0,
  );
});

test("the repetition penalty divides what is positive and multiplies what is not", () => {
  assert.equal(processed({ repetitionPenalty: 2 }, [0, 1], []), [2, -8, 2, 0]);
  assert.equal(processed({ repetitionPenalty: 0.5 }, [0], [1]), [8, -2, 2, 0]);
});

test("the repetition penalty counts a token once, however often it came", () => {
  assert.equal(processed({ repetitionPenalty: 2 }, [0, 0, 0], [0]), [2, -4, 2, 0]);
});

test("the repetition window spans the end of the prompt and the generated tokens", () => {
  const penalty = { repetitionPenalty: 2 };
  assert.equal(processed({ ...penalty, repetitionWindow: 1 }, [0, 1], [2]), [4, -4, 1, 0]);
  assert.equal(processed({ ...penalty, repetitionWindow: 2 }, [0, 1], [2]), [4, -8, 1, 0]);
  assert.equal(processed({ ...penalty, repetitionWindow: 3 }, [0, 1], [2]), [2, -8, 1, 0]);
  assert.equal(processed({ ...penalty, repetitionWindow: Infinity }, [0, 1], [2]), [2, -8, 1, 0]);
});

test("presence counts once, frequency each time, and the prompt not at all", () => {
  assert.equal(processed({ presencePenalty: 1 }, [1], [0, 0, 3]), [3, -4, 2, -1]);
  assert.equal(processed({ frequencyPenalty: 0.5 }, [1], [0, 0, 3]), [3, -4, 2, -0.5]);
  const both = { presencePenalty: 1, frequencyPenalty: 0.5 };
  assert.equal(processed(both, [1], [0, 0, 3]), [2, -4, 2, -1.5]);
  assert.equal(processed({ presencePenalty: -1 }, [], [3]), [4, -4, 2, 1]);
});

test("biases add up, and -Infinity bans", () => {
  const logitBias = new Map([
    [0, -Infinity],
    [2, 1.5],
  ]);
  assert.equal(processed({ logitBias }, [], []), [-Infinity, -4, 3.5, 0]);
});

test("penalties come before biases", () => {
  const logitBias = new Map([[0, -4]]);
  // (4 / 2 - 1) - 4; the bias first would give -1.
  const options = { repetitionPenalty: 2, presencePenalty: 1, logitBias };
  assert.equal(processed(options, [], [0]), [-3, -4, 2, 0]);
});

test("whatever finite numbers are given, a finite logit stays finite", () => {
  const most = 2 ** 128 - 2 ** 104;
  const logits = [4, -4, -Infinity, 0];
  const cases: [Partial<LogitsProcessorOptions>, number[]][] = [
    [{ repetitionPenalty: 1e-300 }, [most, -0, -Infinity, 0]],
    [{ repetitionPenalty: 1e308 }, [0, -most, -Infinity, 0]],
    [{ frequencyPenalty: -1e308 }, [most, most, -Infinity, most]],
    [{ presencePenalty: 1e308, frequencyPenalty: 1e308 }, [-most, -most, -Infinity, -most]],
    [{ logitBias: new Map([0, 1, 2, 3].map((id) => [id, 1e300])) }, [most, most, -Infinity, most]],
    [{ logitBias: new Map([[0, -1e300]]) }, [-most, -4, -Infinity, 0]],
  ];
  for (const [options, expected] of cases) {
    const found = processed(options, [], [0, 1, 2, 3, 0, 1, 2, 3], logits);
    assert.equal(
      found.map((logit) => logit + 0),
      expected.map((logit) => logit + 0),
      JSON.stringify(options),
    );
  }
});

test.run();
