/** Conformance: aborts, disposal, and bad input. */
import type { ModelSource } from "../../src/index.js";
import { SAMPLED_TOKENS } from "./answers.js";
import { type Check, equal, errorOf, PROMPT, throwsCode } from "./subject.js";

/** The file with another three-letter architecture in its header. */
function withArchitecture(file: Uint8Array, letters: string): Uint8Array<ArrayBuffer> {
  const changed = new Uint8Array(file);
  const key = "general.architecture";
  const start = new TextDecoder("latin1").decode(file.subarray(0, 1000)).indexOf(key);
  // The value's type, 4 bytes, and its length, 8 bytes, follow the key.
  changed.set(new TextEncoder().encode(letters), start + key.length + 12);
  return changed;
}

/** Checks of aborting and disposing. */
export const CONTROL_CHECKS: Record<string, Check> = {
  "an abort ends a generation with its reason; the model works on": async ({ model }) => {
    const controller = new AbortController();
    const reason = new Error("enough");
    let pieces = 0;
    const error = await errorOf(async () => {
      for await (const _ of model.generate(PROMPT, { seed: 7, signal: controller.signal })) {
        if (++pieces === 2) controller.abort(reason);
      }
    });
    equal([error === reason, pieces], [true, 2]);
    equal(
      (await model.generate(PROMPT, { seed: 7, maxTokens: 16 }).result()).tokens,
      SAMPLED_TOKENS,
    );
  },
  "a timer gets its turn during a generation, and can end it": async ({ model }) => {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort("late"), 0);
    const options = { ignoreEos: true, signal: controller.signal, maxTokens: 200 };
    const error = await errorOf(() => model.generate("in", options).result());
    clearTimeout(timer);
    equal(error, "late");
  },
  "an abort ends loading": async ({ file, load }) => {
    equal(await errorOf(() => load(file, { signal: AbortSignal.abort("no") })), "no");
  },
  "a disposed model says so": async ({ file, load }) => {
    const model = await load(file);
    const session = model.createSession();
    model.dispose();
    await throwsCode("DISPOSED", () => session.evaluate([1]));
    await throwsCode("DISPOSED", () => model.generate("in").result());
  },
};

/** What is refused, and with which code. */
export const BAD_INPUT_CHECKS: Record<string, Check> = {
  "bad input: files": async ({ file, load }) => {
    await throwsCode("INVALID_FILE", () => load(file.slice(0, 1000)));
    await throwsCode("INVALID_FILE", () => load(file.slice(0, file.length - 1)));
    await throwsCode("INVALID_FILE", () => load(new Uint8Array(100)));
    await throwsCode("UNSUPPORTED_FILE", () => load(withArchitecture(file, "gpt")));
    await throwsCode("INVALID_ARGUMENT", () => load(42 as unknown as ModelSource));
    await throwsCode("OUT_OF_MEMORY", () => load(file, { memoryLimitBytes: 100_000 }));
  },
  "bad input: tokens": async ({ model }) => {
    const session = model.createSession();
    await throwsCode("INVALID_TOKEN", () => session.evaluate([model.config.vocabSize]));
    await throwsCode("INVALID_TOKEN", () => session.evaluate([1.5]));
    await throwsCode("EMPTY_PROMPT", () => session.evaluate([]));
    await throwsCode("CONTEXT_FULL", () =>
      session.evaluate(new Uint32Array(model.config.maxPositionEmbeddings + 1)),
    );
    equal(session.length, 0);
    session.dispose();
    await throwsCode("EMPTY_PROMPT", () => model.generate("").result());
  },
  "bad input: options": async ({ model, file, load }) => {
    await throwsCode("INVALID_ARGUMENT", () => model.generate("in", { topP: 2 }).result());
    await throwsCode("INVALID_ARGUMENT", () => load(file, { contextLength: 0 }));
  },
};
