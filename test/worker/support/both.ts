/** One small file as two models: in this thread, and in a worker. */
import process from "node:process";
import * as assert from "uvu/assert";
import {
  type ByteSource,
  type LoadModelOptions,
  loadModel,
  type Model,
} from "../../../src/index.js";
import { tinyModel } from "../../model/support/tiny.js";

/** Every byte is a token; the template puts the messages one behind the other. */
export const FILE: Uint8Array<ArrayBuffer> = tinyModel({
  type: "Q8_0",
  chatTemplate: "{% for message in messages %}{{ message.role[0] + message.content }}{% endfor %}",
});

/** Generates without end, whatever the model likes. */
export const ENDLESS = { ignoreEos: true, temperature: 1, seed: 1, special: true } as const;

export type Use<T> = (model: Model) => Promise<T> | T;

const OPTIONS: LoadModelOptions = { threads: 1, variant: "simd" };

/** Loads into a worker. */
export function loadRemote(options: LoadModelOptions = {}): Promise<Model> {
  return loadModel(FILE, { ...OPTIONS, worker: true, ...options });
}

/** Uses a model of its own in this thread and one in a worker; what comes of both is equal. */
export async function inBoth<T>(use: Use<T>, options: LoadModelOptions = {}): Promise<T> {
  const found: T[] = [];
  for (const worker of [false, true]) {
    const model = await loadModel(FILE, { ...OPTIONS, ...options, worker });
    try {
      found.push(await use(model));
    } finally {
      model.dispose();
    }
  }
  assert.equal(found[1], found[0]);
  return found[1];
}

/** A reader of the file's bytes. */
export function sourceOf(read: Partial<ByteSource> = {}): ByteSource {
  return {
    ...{ name: "mine", size: FILE.length, sequential: false },
    async read(offset, target) {
      const bytes = FILE.subarray(offset, offset + target.length);
      target.set(bytes);
      return bytes.length;
    },
    async close() {},
    ...read,
  };
}

/** The code of the error that a promise rejects with, or the error if it has none. */
export async function codeOf(work: (() => unknown) | PromiseLike<unknown>): Promise<unknown> {
  try {
    await (typeof work === "function" ? work() : work);
  } catch (error) {
    return (error as { code?: unknown }).code ?? error;
  }
  return "no error";
}

/** Rejections that nobody handled from now on, to be looked at when the tests are over. */
export function watchRejections(): readonly unknown[] {
  const reasons: unknown[] = [];
  process.on("unhandledRejection", (reason) => reasons.push(reason));
  return reasons;
}
