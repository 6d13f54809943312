/** A model in a worker beside the same model in this thread: everything is equal, bit for bit. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { loadModel, type Model, type Session } from "../../src/index.js";

const PATH = fileURLToPath(new URL("../../../models/plm-test.gguf", import.meta.url));
const FILE = new Uint8Array(readFileSync(PATH));
const OPTIONS = { threads: 1, variant: "simd" } as const;
const TEXT = "Once upon a time there was a little";

let local: Model;
let remote: Model;
test.before(async () => {
  local = await loadModel(FILE, OPTIONS);
  remote = await loadModel(PATH, { ...OPTIONS, worker: true });
});
test.after(() => {
  local.dispose();
  remote.dispose();
});

/** What `use` comes to in both. */
async function inBoth<T>(use: (model: Model) => Promise<T>): Promise<void> {
  assert.equal(await use(remote), await use(local));
}

test("what a model says of itself", () => {
  for (const key of ["config", "threads", "threadFailure", "variant", "kernelRates"] as const) {
    assert.equal(remote[key], local[key], key);
  }
  assert.equal(remote.plan.options, local.plan.options);
  assert.is(remote.plan.memory.bytes(), local.plan.memory.bytes());
  assert.equal(remote.tokenizer.encode(TEXT), local.tokenizer.encode(TEXT));
});

test("logits and hidden states, of the last row, of all and of none", async () => {
  const tokens = local.tokenizer.encode(TEXT);
  for (const choice of ["last", "all", "none"] as const) {
    for (const options of [
      { logits: choice },
      { hidden: choice },
      { logits: choice, chunkSize: 1 },
    ]) {
      await inBoth(async (model) => {
        const session = model.createSession();
        const rows = await session.evaluate(tokens, options);
        const next = await session.evaluate([1]);
        const { length, cachedTokens } = session;
        session.dispose();
        return [rows, next, length, cachedTokens];
      });
    }
  }
});

test("the neurons that fire", async () => {
  await inBoth(async (model) => {
    const captured = model.captureActivations();
    await model.generate(TEXT, { seed: 1, maxTokens: 3 }).text();
    return { ...(await captured) };
  });
});

test("generations: text, tokens, log probabilities, reasons", async () => {
  for (const options of [
    { seed: 1, maxTokens: 60 },
    { seed: 2, maxTokens: 30, logprobs: 3, repetitionPenalty: 1.2 },
    { temperature: 0, maxTokens: 80, stop: "the", seed: 5 },
    { seed: 3, maxTokens: 12, logitBias: { 5: 2 }, special: true, ignoreEos: true },
    { seed: 4, maxTokens: 0 },
  ]) {
    await inBoth(async (model) => {
      const pieces: string[] = [];
      const generation = model.generate(TEXT, options);
      for await (const piece of generation) pieces.push(piece);
      const { timings: _, ...result } = await generation.result();
      return [pieces, result];
    });
  }
});

test("forks, cuts, saves and what is restored", async () => {
  const tokens = local.tokenizer.encode(TEXT);
  await inBoth(async (model) => {
    const session = model.createSession();
    await session.evaluate(tokens);
    const fork = session.fork();
    fork.truncate(3);
    const saved = await session.save();
    const streamed = await bytesOf(session.saveStream());
    const restored = await model.restoreSession(saved);
    const logits: Float32Array[] = [];
    for (const each of [fork, session, restored]) logits.push(await each.evaluate([7, 8]));
    const all: Session[] = [session, fork, restored];
    const found = [saved, streamed, logits, all.map((each) => each.tokens)];
    for (const each of all) each.dispose();
    return found;
  });
});

async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<number[]> {
  const bytes: number[] = [];
  for await (const piece of stream) for (const byte of piece) bytes.push(byte);
  return bytes;
}

test.run();
