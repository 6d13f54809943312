/** What the conformance checks work on, and how they fail; portable. */
import { type LoadModelOptions, type Model, type ModelSource, PlmError } from "../../src/index.js";

/**
 * Largest difference of a logit; logits are from -6 to 10. The default's 16-bit activations and
 * cache round by up to 8e-4 on this model, in any runtime.
 */
export const LOGIT_TOLERANCE = 2e-3;

/** The prompt of the checks. */
export const PROMPT =
  "Once upon a time there was a little café by the sea, and Tim liked to go there with his mom.";

/** What the checks work on: the test model loaded, its file, and how to load others. */
export interface Subject {
  readonly model: Model;
  readonly file: Uint8Array<ArrayBuffer>;
  /** What `saveForOthers` of sessions.ts gave in Node. */
  readonly saved: Uint8Array<ArrayBuffer>;
  /** Whether this runtime has threads that share memory. */
  readonly hasThreads: boolean;
  /** How models are loaded into workers; false where there are none. */
  readonly worker: NonNullable<LoadModelOptions["worker"]>;
  /** Unless given, `precision` is "exact", and no rows are reused, which rounds otherwise. */
  readonly load: (source: ModelSource, options?: LoadModelOptions) => Promise<Model>;
}

/** Throws or rejects if the package does not do what the check is named after. */
export type Check = (subject: Subject) => unknown;

/** The logits after a text, from a new session. */
export async function logitsOf(
  model: Model,
  text: string,
  chunkSize?: number,
): Promise<Float32Array> {
  const session = model.createSession();
  try {
    return await session.evaluate(model.tokenizer.encode(text), { chunkSize });
  } finally {
    session.dispose();
  }
}

/** Fails a check. */
export function fail(message: string): never {
  throw new Error(message);
}

/** Values are equal if their JSON is. */
export function equal(actual: unknown, expected: unknown): void {
  const [got, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (got !== wanted) fail(`expected ${wanted}, got ${got}`);
}

/** Logits are close if none differs by more than LOGIT_TOLERANCE. */
export function near(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  equal(actual.length, expected.length);
  for (let i = 0; i < expected.length; i++) {
    if (Math.abs(actual[i] - expected[i]) <= LOGIT_TOLERANCE) continue;
    fail(`[${i}]: expected ${expected[i]}, got ${actual[i]}`);
  }
}

/** Logits are identical if no bit of them differs. */
export function identical(actual: Float32Array, expected: Float32Array): void {
  equal(actual.length, expected.length);
  const other = actual.findIndex((value, i) => !Object.is(value, expected[i]));
  if (other < 0) return;
  const differences = actual.map((value, i) => Math.abs(value - expected[i]));
  const count = differences.filter((difference) => difference !== 0).length;
  const most = differences.reduce((a, b) => Math.max(a, b));
  fail(`${count} of ${expected.length} logits differ from [${other}] on, by up to ${most}`);
}

/** The error that `work` throws or rejects with. */
export async function errorOf(work: () => unknown): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error;
  }
  return fail("expected an error, got none");
}

/** Checks that `work` throws, or rejects with, a PlmError of this code. */
export async function throwsCode(code: string, work: () => unknown): Promise<void> {
  const error = await errorOf(work);
  if (!(error instanceof PlmError)) fail(`expected a PlmError ${code}, got ${String(error)}`);
  equal(error.code, code);
}
