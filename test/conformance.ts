/**
 * The package's behaviour in a handful of checks that any JavaScript runtime can run: nothing but the
 * public interface and web standards. The same numbers are expected everywhere.
 */
import {
  type ByteSource,
  type LoadOptions,
  loadModel,
  type Model,
  type ModelSource,
  PlmError,
  renderChat,
} from "../src/index.js";
import { makeSmallModel, SMALL_CONTEXT } from "./small-model.js";

/** What a runtime lends to the checks. */
export interface ConformanceHost {
  /** The kernels, where the runtime does not compile bytes. */
  wasm?: WebAssembly.Module | BufferSource;
  /** Takes a line for each check: "ok name", or "FAIL name: why". */
  print: (line: string) => void;
}

/**
 * Largest difference of a logit; they are about 2 in size. The 16-bit activations and cache of the
 * default round by up to 3e-3 on this model, whatever the runtime.
 */
const LOGIT_TOLERANCE = 5e-3;

const PROMPT = "Once in the café";

/** Every 32nd logit of the small model after PROMPT, by a forward pass in float64. */
const GOLDEN_LOGITS: readonly number[] = [
  -2.83639, -4.78376, 1.55466, 0.47485, -1.04647, -1.76659, 0.84731, -0.0137, -1.77428,
];

/** After "the", the best token each time, by the same forward pass; the second best is 0.09 away. */
const GREEDY_TOKENS: readonly number[] = [
  163, 248, 248, 248, 248, 248, 248, 81, 81, 81, 81, 81, 81, 81, 122, 81,
];

/** After "the", drawn with seed 7. */
const SAMPLED_TOKENS: readonly number[] = [
  81, 122, 81, 122, 81, 122, 81, 122, 81, 122, 81, 40, 46, 43, 146, 236,
];
const SAMPLED_TEXT = "QzQzQzQzQzQ(.+\ufffd\ufffd";

/** FNV-1a of the small model's file. */
const FILE_HASH = 0x2ccf86e0;

const TOKENS: readonly [string, boolean, readonly number[]][] = [
  ["", false, []],
  ["the", false, [257]],
  [" the thin", false, [258, 32, 256, 259]],
  ["a a\n", false, [97, 260, 10]],
  ["é", false, [261]],
  ["e\u0301", false, [261]],
  ["🚀", false, [240, 159, 154, 128]],
  ["<|im_end|>", true, [265]],
  ["<|im_end|>", false, [...new TextEncoder().encode("<|im_end|>")]],
];

function fail(message: string): never {
  throw new Error(message);
}

function equal(actual: unknown, expected: unknown): void {
  const [got, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (got !== wanted) fail(`expected ${wanted}, got ${got}`);
}

function near(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  equal(actual.length, expected.length);
  for (let i = 0; i < expected.length; i++) {
    if (Math.abs(actual[i] - expected[i]) <= LOGIT_TOLERANCE) continue;
    fail(`[${i}]: expected ${expected[i]}, got ${actual[i]}`);
  }
}

/** What `work` throws or rejects with. */
async function errorOf(work: () => unknown): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error;
  }
  return fail("expected an error, got none");
}

async function throwsCode(code: string, work: () => unknown): Promise<void> {
  const error = await errorOf(work);
  if (!(error instanceof PlmError)) fail(`expected a PlmError ${code}, got ${String(error)}`);
  equal(error.code, code);
}

/** What the checks work on: the small model loaded, its file, and how to load others. */
interface Subject {
  readonly model: Model;
  readonly file: Uint8Array<ArrayBuffer>;
  readonly load: (source: ModelSource, options?: LoadOptions) => Promise<Model>;
}

type Check = (subject: Subject) => unknown;

async function logitsOf(model: Model, text: string, chunkSize?: number): Promise<Float32Array> {
  const session = model.createSession();
  try {
    return await session.evaluate(model.tokenizer.encode(text), { chunkSize });
  } finally {
    session.dispose();
  }
}

/** Loads from a source, checks that it is the same model, disposes. */
async function loadsFrom({ model, load }: Subject, source: ModelSource): Promise<void> {
  const other = await load(source);
  equal([...(await logitsOf(other, PROMPT))], [...(await logitsOf(model, PROMPT))]);
  other.dispose();
}

/** The file in pieces of 10,000 bytes, which end anywhere in a tensor. */
function streamOf(file: Uint8Array): ReadableStream<Uint8Array> {
  let offset = 0;
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      if (offset >= file.length) return controller.close();
      controller.enqueue(file.slice(offset, offset + 10_000));
      offset += 10_000;
    },
  });
}

/** A byte-range reader of one's own. */
function byteSourceOf(file: Uint8Array): ByteSource {
  return {
    name: "memory",
    size: file.length,
    sequential: false,
    async read(offset, target) {
      const bytes = file.subarray(offset, offset + target.length);
      target.set(bytes);
      return bytes.length;
    },
    async close() {},
  };
}

const SOURCE_CHECKS: Record<string, Check> = {
  "the small model is the same file everywhere": ({ file }) => {
    let hash = 0x811c9dc5;
    for (const byte of file) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
    equal(hash, FILE_HASH);
  },
  "source: an ArrayBuffer": (subject) => loadsFrom(subject, subject.file.buffer),
  "source: a Blob": (subject) => loadsFrom(subject, new Blob([subject.file])),
  "source: a ReadableStream": (subject) => loadsFrom(subject, streamOf(subject.file)),
  "source: a ByteSource": (subject) => loadsFrom(subject, byteSourceOf(subject.file)),
  "loading tells its progress": async ({ file, load }) => {
    let fraction = 0;
    const onProgress: LoadOptions["onProgress"] = ({ loadedBytes, totalBytes }) => {
      fraction = loadedBytes / totalBytes;
    };
    (await load(file, { onProgress })).dispose();
    equal(fraction, 1);
  },
};

const MODEL_CHECKS: Record<string, Check> = {
  "tokenizer: encode": ({ model }) => {
    for (const [text, special, ids] of TOKENS)
      equal(model.tokenizer.encode(text, { special }), ids);
  },
  "tokenizer: decode, at once and token by token": ({ model }) => {
    const ids = model.tokenizer.encode("the café 🚀");
    equal(model.tokenizer.decode(ids), "the café 🚀");
    const decoder = model.tokenizer.createDecoder();
    equal(ids.map((id) => decoder.push(id)).join("") + decoder.end(), "the café 🚀");
  },
  "logits are the golden ones": async ({ model }) => {
    const logits = await logitsOf(model, PROMPT);
    near(
      logits.filter((_, id) => id % 32 === 0),
      GOLDEN_LOGITS,
    );
  },
  "decode equals prefill": async ({ model }) => {
    near(await logitsOf(model, PROMPT, 1), await logitsOf(model, PROMPT));
  },
  "absorbed attention equals expanded": async ({ file, load }) => {
    const [absorbed, expanded] = await Promise.all([
      load(file, { attention: "absorbed" }),
      load(file, { attention: "expanded" }),
    ]);
    near(await logitsOf(absorbed, PROMPT), await logitsOf(expanded, PROMPT));
  },
  "an f32 cache gives what the default gives": async ({ model, file, load }) => {
    const other = await load(file, { cacheType: "f32" });
    near(await logitsOf(other, PROMPT), await logitsOf(model, PROMPT));
  },
  "greedy generation": async ({ model }) => {
    const { tokens, finishReason } = await model
      .generate("the", { temperature: 0, maxTokens: 16 })
      .result();
    equal([tokens, finishReason], [GREEDY_TOKENS, "length"]);
  },
  "seeded generation, piece by piece": async ({ model }) => {
    const generation = model.generate("the", { seed: 7, maxTokens: 16 });
    let text = "";
    for await (const piece of generation) text += piece;
    equal((await generation.result()).tokens, SAMPLED_TOKENS);
    equal(text, SAMPLED_TEXT);
  },
  "chat: the template, and an answer": async ({ model }) => {
    const messages = [{ role: "user", content: "Hi" }];
    const text = renderChat(model.tokenizer.chatTemplate ?? "", messages, {
      addGenerationPrompt: true,
    });
    const system = "<|im_start|>system\nYou are a helpful assistant<|im_end|>\n";
    const turns = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n";
    equal(text, system + turns);
    const answer = await model.chat(messages, { maxTokens: 3, ignoreEos: true, seed: 1 }).result();
    equal(answer.promptTokens, model.tokenizer.encode(text, { special: true }).length);
    equal(answer.tokens.length, 3);
  },
};

const CONTROL_CHECKS: Record<string, Check> = {
  "an abort ends a generation with its reason; the model works on": async ({ model }) => {
    const controller = new AbortController();
    const reason = new Error("enough");
    let pieces = 0;
    const error = await errorOf(async () => {
      for await (const _ of model.generate("the", { seed: 7, signal: controller.signal })) {
        if (++pieces === 2) controller.abort(reason);
      }
    });
    equal([error === reason, pieces], [true, 2]);
    equal(
      (await model.generate("the", { seed: 7, maxTokens: 16 }).result()).tokens,
      SAMPLED_TOKENS,
    );
  },
  "a timer gets its turn during a generation, and can end it": async ({ model }) => {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort("late"), 0);
    const options = { ignoreEos: true, signal: controller.signal, maxTokens: SMALL_CONTEXT - 1 };
    const error = await errorOf(() => model.generate("the", options).result());
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
    await throwsCode("DISPOSED", () => model.generate("the").result());
  },
};

const BAD_INPUT_CHECKS: Record<string, Check> = {
  "bad input: files": async ({ file, load }) => {
    await throwsCode("INVALID_FILE", () => load(file.slice(0, 1000)));
    await throwsCode("INVALID_FILE", () => load(file.slice(0, file.length - 1)));
    await throwsCode("INVALID_FILE", () => load(new Uint8Array(100)));
    await throwsCode("UNSUPPORTED_FILE", () => load(makeSmallModel("llama")));
    await throwsCode("INVALID_ARGUMENT", () => load(42 as unknown as ModelSource));
    await throwsCode("OUT_OF_MEMORY", () => load(file, { memoryLimitBytes: 100_000 }));
  },
  "bad input: tokens": async ({ model }) => {
    const session = model.createSession();
    await throwsCode("INVALID_TOKEN", () => session.evaluate([266]));
    await throwsCode("INVALID_TOKEN", () => session.evaluate([1.5]));
    await throwsCode("EMPTY_PROMPT", () => session.evaluate([]));
    await throwsCode("CONTEXT_FULL", () => session.evaluate(new Uint32Array(SMALL_CONTEXT + 1)));
    equal(session.length, 0);
    session.dispose();
    await throwsCode("EMPTY_PROMPT", () => model.generate("").result());
  },
  "bad input: options": async ({ model, file, load }) => {
    await throwsCode("INVALID_ARGUMENT", () => model.generate("the", { topP: 2 }).result());
    await throwsCode("INVALID_ARGUMENT", () => load(file, { contextLength: 0 }));
  },
};

const CHECKS: Record<string, Check> = {
  ...SOURCE_CHECKS,
  ...MODEL_CHECKS,
  ...CONTROL_CHECKS,
  ...BAD_INPUT_CHECKS,
};

/** Runs every check, one after the other, and counts them. Rejects only if the model does not load. */
export async function runConformance({
  wasm,
  print,
}: ConformanceHost): Promise<{ passed: number; failed: number }> {
  const file = makeSmallModel();
  const load: Subject["load"] = (source, options) => loadModel(source, { wasm, ...options });
  const counts = { passed: 0, failed: 0 };
  const subject: Subject = { file, load, model: await load(file) };
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
