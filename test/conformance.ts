/**
 * The package's behaviour in a few checks that any JavaScript runtime can run: they use only the
 * public interface and web standards. The same numbers are expected everywhere.
 */
import { type LoadModelOptions, loadModel } from "../src/index.js";
import { ANSWER_CHECKS } from "./conformance/answers.js";
import { FORM_CHECKS } from "./conformance/forms.js";
import { BAD_INPUT_CHECKS, CONTROL_CHECKS } from "./conformance/refusals.js";
import { SESSION_CHECKS } from "./conformance/sessions.js";
import { SOURCE_CHECKS } from "./conformance/sources.js";
import { STORE_CHECKS } from "./conformance/stores.js";
import type { Check, Subject } from "./conformance/subject.js";
import { THREAD_CHECKS } from "./conformance/threads.js";
import { WORKER_CHECKS } from "./conformance/workers.js";

/** What a runtime provides for the checks. */
export interface ConformanceHost {
  /** models/plm-test.gguf. */
  file: Uint8Array<ArrayBuffer>;
  /** What `saveForOthers` gave in Node. */
  saved: Uint8Array<ArrayBuffer>;
  /** The kernels, if the runtime does not compile bytes. */
  wasm?: WebAssembly.Module | BufferSource;
  /** Whether threads that share memory are expected to start. */
  hasThreads: boolean;
  /** How models are loaded into workers; false where there are none. Default true. */
  worker?: LoadModelOptions["worker"];
  /** Prints a line for each check: "ok name", or "FAIL name: why". */
  print: (line: string) => void;
}

const CHECKS: Record<string, Check> = {
  ...SOURCE_CHECKS,
  ...STORE_CHECKS,
  ...ANSWER_CHECKS,
  ...FORM_CHECKS,
  ...SESSION_CHECKS,
  ...THREAD_CHECKS,
  ...WORKER_CHECKS,
  ...CONTROL_CHECKS,
  ...BAD_INPUT_CHECKS,
};

/**
 * Runs every check, one after another, and counts them. Rejects only if the model does not load.
 */
export async function runConformance({
  file,
  saved,
  wasm,
  hasThreads,
  worker = true,
  print,
}: ConformanceHost): Promise<{ passed: number; failed: number }> {
  const load: Subject["load"] = (source, options) =>
    loadModel(source, { wasm, precision: "exact", prefixCache: false, ...options });
  const counts = { passed: 0, failed: 0 };
  const subject: Subject = {
    ...{ file, saved, load, hasThreads, worker },
    model: await load(file),
  };
  for (const [name, check] of Object.entries(CHECKS)) {
    try {
      await check(subject);
      counts.passed++;
      print(`ok ${name}`);
    } catch (error) {
      counts.failed++;
      print(`FAIL ${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  subject.model.dispose();
  return counts;
}
