/** What a program finds, as JSON; the text is the same in every runtime. */
export async function report(load) {
  const model = await load({ threads: 2, variant: "simd", precision: "exact" });
  const text = await model.generate("Once upon a time", { maxTokens: 24, seed: 1 }).text();
  const found = { threads: model.threads, failure: model.threadFailure?.message, text };
  model.dispose();
  return JSON.stringify(found);
}
