// The time from importing the package to the first piece of text, in Node and in a page.

const PROMPT = "Once upon a time";

/**
 * Milliseconds of importing, of loading, of the first piece, and of all; and what computes. `load`
 * resolves to the package; the options are those of `loadModel`.
 */
export async function measureStart(load, source, options = {}) {
  const startMs = performance.now();
  const { loadModel } = await load();
  const importedMs = performance.now();
  const model = await loadModel(source, options);
  const loadedMs = performance.now();
  for await (const piece of model.generate(PROMPT, { maxTokens: 8, seed: 1 })) {
    if (piece !== "") break;
  }
  const endMs = performance.now();
  const { variant, threads } = model;
  model.dispose();
  return {
    importMs: importedMs - startMs,
    loadMs: loadedMs - importedMs,
    pieceMs: endMs - loadedMs,
    allMs: endMs - startMs,
    variant,
    threads,
  };
}
