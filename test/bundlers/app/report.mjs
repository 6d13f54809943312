/**
 * What a program finds with its threads, and with a model in a worker, as JSON; the text is the
 * same in every runtime.
 */
export async function report(load, worker = true) {
  const found = await lookAt(load);
  const inWorker = await lookAt((options) => load({ ...options, worker })).catch((error) => {
    return { error: error.message };
  });
  return JSON.stringify({ ...found, inWorker });
}

async function lookAt(load) {
  const model = await load({ threads: 2, variant: "simd", precision: "exact" });
  const text = await model.generate("Once upon a time", { maxTokens: 24, seed: 1 }).text();
  const found = { threads: model.threads, failure: model.threadFailure?.message, text };
  model.dispose();
  return found;
}
