// Measures the pauses of an event loop, in Node and in a page.

/** The time between two turns of the event loop when nothing else runs, in milliseconds. */
const TURN_MS = 4;

/** Counts the pauses of this thread's event loop until `until` settles. */
export async function measurePauses(until) {
  let isOver = false;
  const end = Promise.resolve(until).finally(() => {
    isOver = true;
  });
  const pauses = [];
  let lastMs = performance.now();
  while (!isOver) {
    await new Promise((resolve) => setTimeout(resolve, TURN_MS));
    const nowMs = performance.now();
    pauses.push(Math.max(0, nowMs - lastMs - TURN_MS));
    lastMs = nowMs;
  }
  await end;
  pauses.sort((a, b) => a - b);
  const at = (share) => pauses[Math.min(pauses.length - 1, Math.floor(share * pauses.length))];
  return { turns: pauses.length, medianMs: at(0.5), p99Ms: at(0.99), mostMs: at(1) };
}

/** The pauses while a model in a worker evaluates a prompt, and how long that took. */
export async function measurePrefill(loadModel, source, { tokens, threads }) {
  const model = await loadModel(source, { worker: true, threads, contextLength: tokens });
  const session = model.createSession();
  const prompt = Array.from({ length: tokens }, (_, i) => (i * 7919) % session.vocabSize);
  // The first calls compile.
  await session.evaluate(prompt.slice(0, 40), { logits: "none" });
  session.truncate(0);
  const startMs = performance.now();
  const pauses = await measurePauses(session.evaluate(prompt, { logits: "none" }));
  const prefillMs = performance.now() - startMs;
  const about = { threads: model.threads, variant: model.variant };
  model.dispose();
  return { ...about, prefillMs, ...pauses };
}

/** The pauses of a loop that only waits, for as long. */
export function measureWaiting(ms) {
  return measurePauses(new Promise((resolve) => setTimeout(resolve, ms)));
}
