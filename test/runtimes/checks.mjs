// The model and the examples' texts that the runtimes are checked with.
import { loadModel } from "../../build/src/index.js";

export const MODEL = new URL("../../models/plm-test.gguf", import.meta.url);

/** A session that Node saved: run.mjs writes it before the checks. */
export const SAVED = new URL("../../build/saved-session", import.meta.url);

export const PROMPT = "Once upon a time";

/**
 * The text of the examples, which all have seed 1; `maxTokens` as in the example. Runtimes may
 * differ: the default precision depends on their kernels.
 */
export async function expectedText(source, maxTokens, options = {}) {
  const model = await loadModel(source, options);
  const text = await model.generate(PROMPT, { maxTokens, seed: 1 }).text();
  model.dispose();
  return text;
}

/**
 * Runs named checks one after another and prints the last line, which run.mjs reads; resolves to
 * the counts.
 */
export async function runChecks(checks) {
  const counts = { passed: 0, failed: 0 };
  for (const [name, check] of Object.entries(checks)) {
    try {
      await check(counts);
      counts.passed++;
      console.log(`ok ${name}`);
    } catch (error) {
      counts.failed++;
      console.log(`FAIL ${name}: ${error.stack.split("\n").slice(0, 12).join("\n")}`);
    }
  }
  console.log(`${counts.passed} passed, ${counts.failed} failed`);
  return counts;
}
