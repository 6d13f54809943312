import { test } from "uvu";
import * as assert from "uvu/assert";
import { generate } from "../../src/generation/generate.js";
import type { Generation } from "../../src/generation/generation.js";
import { countingModel, tableDecoder } from "./support/markov.js";

const DECODER = tableDecoder(["a", "b", "c", "d", "e", "f", "g", "h"]);
const GREEDY = { temperature: 0, maxTokens: 100 };
const REASON = new Error("enough");

/** The pieces read before the loop threw, and what it threw. */
async function readUntilError(generation: Generation): Promise<[string, unknown]> {
  let text = "";
  try {
    for await (const piece of generation) text += piece;
  } catch (error) {
    return [text, error];
  }
  return assert.unreachable("expected the loop to throw") as never;
}

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => assert.unreachable("expected a rejection"),
    (error) => error,
  );
}

test("leaving the loop ends the generation and keeps what there is", async () => {
  const model = countingModel(8);
  const generation = generate(model, DECODER, [0], GREEDY);
  for await (const piece of generation) if (piece === "c") break;
  const { text, tokens, finishReason } = await generation.result();
  assert.equal([text, tokens, finishReason], ["bc", [1, 2], "cancelled"]);
  assert.equal(model.evaluated, [0, 1], "the piece shown last was not evaluated");
});

test("leaving at the last piece is not a cancellation", async () => {
  const generation = generate(countingModel(8), DECODER, [0], { ...GREEDY, maxTokens: 2 });
  for await (const piece of generation) if (piece === "c") break;
  assert.is((await generation.result()).finishReason, "length");
});

test("leaving before the first piece evaluates nothing", async () => {
  const model = countingModel(8);
  const generation = generate(model, DECODER, [0], GREEDY);
  const iterator = generation[Symbol.asyncIterator]();
  assert.equal(await iterator.return?.(), { done: true, value: undefined });
  assert.equal(await iterator.next(), { done: true, value: undefined });
  assert.is((await generation.result()).finishReason, "cancelled");
  assert.is(model.length, 0);
});

test("an abort beforehand rejects with its reason and evaluates nothing", async () => {
  const model = countingModel(8);
  const generation = generate(model, DECODER, [0], {
    ...GREEDY,
    signal: AbortSignal.abort(REASON),
  });
  assert.equal(await readUntilError(generation), ["", REASON]);
  assert.is(await rejection(generation.result()), REASON);
  assert.is(model.length, 0);
});

test("an abort during prefill leaves what was evaluated", async () => {
  const model = countingModel(8);
  const controller = new AbortController();
  model.onToken = (token) => {
    if (token === 2) controller.abort(REASON);
  };
  const { signal } = controller;
  const generation = generate(model, DECODER, [0, 1, 2, 3, 4], { ...GREEDY, signal });
  assert.is(await rejection(generation.text()), REASON);
  assert.equal(model.evaluated, [0, 1, 2]);
});

test("an abort during decode comes after the pieces shown", async () => {
  const model = countingModel(8);
  const controller = new AbortController();
  const { signal } = controller;
  const generation = generate(model, DECODER, [0], { ...GREEDY, signal });
  let text = "";
  let caught: unknown;
  try {
    for await (const piece of generation) {
      text += piece;
      if (piece === "d") controller.abort(REASON);
    }
  } catch (error) {
    caught = error;
  }
  assert.is(text, "bcd");
  assert.is(caught, REASON);
  assert.is(await rejection(generation.text()), REASON);
  const { tokens, finishReason, promptTokens, text: sofar } = generation.soFar();
  assert.equal([tokens, finishReason, promptTokens, sofar], [[1, 2, 3], "cancelled", 1, "bcd"]);
  assert.equal(model.evaluated, [0, 1, 2]);
});

test("an abort counts even if the evaluator does not look", async () => {
  const model = countingModel(8);
  const controller = new AbortController();
  const evaluate = model.evaluate.bind(model);
  model.evaluate = (tokens) => {
    if (model.length === 2) controller.abort(REASON);
    return evaluate(tokens);
  };
  const generation = generate(model, DECODER, [0], { ...GREEDY, signal: controller.signal });
  assert.equal(await readUntilError(generation), ["bc", REASON]);
});

test("an error of the evaluator reaches the loop and the result", async () => {
  const model = countingModel(8);
  const broken = new Error("broken");
  model.onToken = (token) => {
    if (token === 3) throw broken;
  };
  const generation = generate(model, DECODER, [0], GREEDY);
  assert.equal(await readUntilError(generation), ["bcd", broken]);
  assert.is(await rejection(generation.result()), broken);
});

test("a failure whose result is not requested is not an unhandled rejection", async () => {
  const unhandled: unknown[] = [];
  const listen = (reason: unknown): void => {
    unhandled.push(reason);
  };
  process.on("unhandledRejection", listen);
  const generation = generate(countingModel(8), DECODER, [0], {
    ...GREEDY,
    signal: AbortSignal.abort(REASON),
  });
  await readUntilError(generation);
  await new Promise((resolve) => setImmediate(resolve));
  process.off("unhandledRejection", listen);
  assert.equal(unhandled, []);
});

test.run();
