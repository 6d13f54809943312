/** Conformance: a model in a worker does what it does without. */
import type { ByteSource, Model, ModelSource } from "../../src/index.js";
import {
  type Check,
  equal,
  errorOf,
  fail,
  identical,
  logitsOf,
  PROMPT,
  type Subject,
  throwsCode,
} from "./subject.js";

/** Uses a model in a worker; where there are no workers, that is refused. */
function inWorker(use: (model: Model, subject: Subject) => unknown): Check {
  return async (subject) => {
    const { file, load, worker } = subject;
    if (worker === false) {
      return throwsCode("UNSUPPORTED_RUNTIME", () => load(file, { worker: true }));
    }
    const model = await load(file, { worker });
    try {
      await use(model, subject);
    } finally {
      model.dispose();
    }
  };
}

/** A reader that fails behind the header. */
function failingSource(file: Uint8Array, error: Error): ByteSource {
  return {
    ...{ name: "memory", size: file.length, sequential: false },
    async read(offset, target) {
      if (offset > 100_000) throw error;
      const bytes = file.subarray(offset, offset + target.length);
      target.set(bytes);
      return bytes.length;
    },
    async close() {},
  };
}

/** What a model in a worker does. */
export const WORKER_CHECKS: Record<string, Check> = {
  "worker: the same logits, tokens and text": inWorker(async (model, { model: other }) => {
    identical(await logitsOf(model, PROMPT), await logitsOf(other, PROMPT));
    const options = { maxTokens: 30, seed: 1 };
    const [found, expected] = await Promise.all(
      [model, other].map((each) => each.generate(PROMPT, options).result()),
    );
    equal([found.text, found.tokens], [expected.text, expected.tokens]);
  }),
  "worker: threads of its own": inWorker(async (_, { file, load, hasThreads, worker, model }) => {
    const other = await load(file, { worker, threads: 2 });
    equal([other.threads, other.threadFailure === undefined], hasThreads ? [2, true] : [1, false]);
    identical(await logitsOf(other, PROMPT), await logitsOf(model, PROMPT));
    other.dispose();
    equal(other.threads, 1);
  }),
  "worker: a Blob and a stream": inWorker(async (_, { file, load, worker, model }) => {
    const sources: ModelSource[] = [new Blob([file]), new Blob([file]).stream()];
    for (const source of sources) {
      const other = await load(source, { worker });
      identical(await logitsOf(other, "Once"), await logitsOf(model, "Once"));
      other.dispose();
    }
  }),
  "worker: leaving a generation, an abort and what follows": inWorker(async (model) => {
    for await (const _ of model.generate(PROMPT, { seed: 1 })) break;
    const reason = new Error("enough");
    const controller = new AbortController();
    const { signal } = controller;
    const pieces = model.generate(PROMPT, { seed: 1, signal })[Symbol.asyncIterator]();
    await pieces.next();
    controller.abort(reason);
    equal((await errorOf(() => pieces.next())) === reason, true);
    const session = model.createSession();
    await session.evaluate([1, 2, 3]);
    equal([...session.tokens], [1, 2, 3]);
    const restored = await model.restoreSession(await session.save());
    identical(await restored.evaluate([4]), await session.fork().evaluate([4]));
  }),
  "worker: errors have their types": inWorker(async (model, { file, load, worker }) => {
    const session = model.createSession();
    await throwsCode("INVALID_TOKEN", () => session.evaluate([-1]));
    const tokens = new Uint32Array(session.contextLength + 1);
    await throwsCode("CONTEXT_FULL", () => session.evaluate(tokens));
    await throwsCode("INVALID_FILE", () => load(new Uint8Array(100), { worker }));
    await throwsCode("INVALID_ARGUMENT", () => load(file, { worker, threads: -1 }));
    const own = new TypeError("mine");
    const error = await errorOf(() => load(failingSource(file, own), { worker }));
    if (error !== own) fail(`expected the source's error, got ${String(error)}`);
    const going = errorOf(() => session.evaluate([1]));
    model.dispose();
    equal(((await going) as { code?: string }).code, "DISPOSED");
    await throwsCode("DISPOSED", () => session.evaluate([1]));
  }),
};
