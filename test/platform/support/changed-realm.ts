/**
 * A process that changes its realm as sandboxes and test runners do, generates, and writes the
 * result as one line of JSON. Arguments: how the realm is changed, and when.
 */

type Moment = "before import" | "after import" | "after loading";
const [change, moment] = process.argv.slice(2) as [string, Moment];

/** A package without types. */
const untyped = (name: string): Promise<unknown> => import(name);

const CHANGES: Readonly<Record<string, () => unknown>> = {
  nothing: () => {},
  "ses lockdown": async () => {
    await untyped("ses");
    (globalThis as unknown as { lockdown(): void }).lockdown();
  },
  "ses lockdown, least tamed": async () => {
    await untyped("ses");
    const { lockdown } = globalThis as unknown as { lockdown(options: object): void };
    lockdown({ overrideTaming: "min" });
  },
  "sinon, as vitest and jest have it": async () => {
    type FakeTimers = { default: { install(options: object): void } };
    const { default: fakeTimers } = (await untyped("@sinonjs/fake-timers")) as FakeTimers;
    // Everything, including process.nextTick, queueMicrotask, performance and hrtime.
    fakeTimers.install({ now: 0 });
  },
  "node:test": async () => {
    const { mock } = await import("node:test");
    mock.timers.enable();
  },
};

async function changeAt(now: Moment): Promise<void> {
  if (now === moment) await CHANGES[change]();
}

await changeAt("before import");
const { loadModel, PlmError } = await import("../../../src/index.js");
await changeAt("after import");
try {
  const path = "models/plm-test.gguf";
  const options = { threads: 2, variant: "simd" } as const;
  // Large enough to be collected before the next is loaded.
  const before = await loadModel(path, { ...options, contextLength: 64, cacheTokens: 5_000 * 64 });
  before.dispose();
  const model = await loadModel(path, options);
  await changeAt("after loading");
  const { text } = await model.generate("Once upon", { maxTokens: 6, temperature: 0 }).result();
  const messages = [{ role: "user", content: "Hi" }];
  const answer = await model.chat(messages, { maxTokens: 3, temperature: 0 }).text();
  const { threads } = model;
  model.dispose();
  const refusal = await loadModel(new Uint8Array(9)).catch((error: unknown) => String(error));
  console.log(JSON.stringify({ text, answer, threads, refusal }));
} catch (error) {
  if (!(error instanceof PlmError)) throw error;
  const { code, message } = error;
  console.log(JSON.stringify({ code, message }));
}
