/** Shortcuts to the engine for tests, and distances between logits. */
import * as assert from "uvu/assert";
import type { EvaluateOptions } from "../../../src/engine/evaluation.js";
import { type LoadedPlm, type LoadOptions, loadPlm } from "../../../src/engine/load.js";
import type { ModelOptions } from "../../../src/engine/options.js";
import { type ModelPlan, planModel } from "../../../src/engine/plan.js";
import { type ErrorCode, PlmError } from "../../../src/errors.js";
import { openGguf } from "../../../src/format/gguf.js";
import { kernelsBytes, type Variant } from "../../../src/kernels/load.js";
import { type ModelSource, openSources } from "../../../src/sources/source.js";
import { relaxedKernels } from "../../kernels/support/wasm.js";

const binaries: Readonly<Record<Variant, Uint8Array<ArrayBuffer>>> = {
  simd: kernelsBytes("simd"),
  relaxed: await relaxedKernels(),
};
const modules = new Map<Variant, Promise<WebAssembly.Module>>();

/** The variant's kernels, compiled once. */
function compiledKernels(variant: Variant): Promise<WebAssembly.Module> {
  const compiled = modules.get(variant) ?? WebAssembly.compile(binaries[variant]);
  modules.set(variant, compiled);
  return compiled;
}

/**
 * Loads a model, by default on one thread, with the plain kernels, and reusing no rows, so that
 * fresh sessions can be compared with; the sources stay open, as those of tests need no closing.
 */
export async function loadEngine(
  source: ModelSource,
  { threads = 1, variant = "simd", prefixCache = false, ...options }: LoadOptions = {},
): Promise<LoadedPlm> {
  // Threads share a memory, which a compiled module does not import.
  const wasm = threads === 1 ? await compiledKernels(variant) : binaries[variant];
  const gguf = await openGguf(await openSources(source));
  return loadPlm(gguf, { wasm, threads, prefixCache, ...options });
}

/** Share of squared-ReLU activations that were zero so far. */
export function zeroShareOf({ sparsity }: LoadedPlm): number {
  return 1 - sparsity.nonZero / sparsity.activations;
}

/** The plan of a model, by default for one thread. */
export async function planEngine(source: ModelSource, options?: ModelOptions): Promise<ModelPlan> {
  return planModel(await openGguf(await openSources(source)), { threads: 1, ...options });
}

/** Logits [tokens, vocabSize] of a fresh session. */
export async function engineLogits(
  model: LoadedPlm,
  tokens: readonly number[],
  options: EvaluateOptions = {},
): Promise<Float32Array[]> {
  const session = model.createSession();
  const logits = await session.evaluate(tokens, { ...options, logits: "all" });
  session.dispose();
  return rowsOf(logits, model.config.vocabSize);
}

/** The rows of [n, size]. */
export function rowsOf(values: Float32Array, size: number): Float32Array[] {
  return Array.from({ length: values.length / size }, (_, i) =>
    values.subarray(i * size, (i + 1) * size),
  );
}

/** Mean over rows of KL(reference || actual) of the logits' softmax, in nats. */
export function meanKl(reference: ArrayLike<number>[], actual: ArrayLike<number>[]): number {
  assert.is(actual.length, reference.length);
  let total = 0;
  reference.forEach((row, i) => {
    const p = logSoftmax(row);
    const q = logSoftmax(actual[i]);
    for (let j = 0; j < p.length; j++) total += Math.exp(p[j]) * (p[j] - q[j]);
  });
  return total / reference.length;
}

function logSoftmax(logits: ArrayLike<number>): Float64Array {
  const values = Float64Array.from(logits);
  const largest = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const sum = values.reduce((total, value) => total + Math.exp(value - largest), 0);
  return values.map((value) => value - largest - Math.log(sum));
}

/** Root mean square of the differences over that of the expected values, over all rows. */
export function rowsError(actual: ArrayLike<number>[], expected: ArrayLike<number>[]): number {
  assert.is(actual.length, expected.length);
  let [error, power] = [0, 0];
  expected.forEach((row, i) => {
    assert.is(actual[i].length, row.length);
    for (let j = 0; j < row.length; j++) {
      error += (actual[i][j] - row[j]) ** 2;
      power += row[j] ** 2;
    }
  });
  return Math.sqrt(error / power);
}

/** Fails unless `value` is at most `limit`; NaN fails. */
export function assertAtMost(value: number, limit: number, what: string): void {
  assert.ok(value <= limit, `${what}: expected at most ${limit}, got ${value}`);
}

/** The error that the promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => assert.unreachable("expected a rejection"),
    (error) => error,
  );
}

/** Fails unless the promise rejects with this code and a message with each of the parts. */
export async function assertRejects(
  promise: Promise<unknown>,
  code: ErrorCode,
  ...parts: string[]
): Promise<void> {
  assertPlmError(await rejection(promise), code, parts);
}

/** Fails unless the call throws this code and a message with each of the parts. */
export function assertThrows(call: () => unknown, code: ErrorCode, ...parts: string[]): void {
  try {
    call();
  } catch (error) {
    assertPlmError(error, code, parts);
    return;
  }
  assert.unreachable(`expected ${code}`);
}

function assertPlmError(error: unknown, code: ErrorCode, parts: string[]): void {
  assert.instance(error, PlmError, String((error as Error).stack));
  const { code: actual, message } = error as PlmError;
  assert.is(actual, code, message);
  for (const part of parts) assert.ok(message.includes(part), `expected "${part}" in: ${message}`);
}
