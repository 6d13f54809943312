// Loads a model and generates from it, in Node and in a page.

/** A prompt of a few hundred tokens. */
const PROMPT = `Once upon a time there was a ${"very ".repeat(300)}`;
const TOKENS = 16;

/** The tokens that are likeliest, what the model's memory has, and seconds. */
export async function measureUse({ loadModel }, source, options) {
  const startMs = performance.now();
  const model = await loadModel(source, options);
  const loadedMs = performance.now();
  const generation = model.generate(PROMPT, { maxTokens: TOKENS, temperature: 0, ignoreEos: true });
  const { tokens } = await generation.result();
  const endMs = performance.now();
  const { threads, variant } = model;
  const planBytes = model.plan.memory.bytes();
  model.dispose();
  const [loadS, generateS] = [loadedMs - startMs, endMs - loadedMs].map((ms) => ms / 1000);
  return { tokens: [...tokens], planBytes, threads, variant, loadS, generateS };
}
