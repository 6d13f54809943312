// The time from importing the package to the first piece of text, in Node and in a page.

const PROMPT = "Once upon a time";

/** Another one, no row of which is in the cache. */
const NEXT_PROMPT = "The little dog wanted to play in the park";

/** Milliseconds until a text's first piece. */
async function firstPieceMs(model, prompt) {
  const startMs = performance.now();
  for await (const piece of model.generate(prompt, { maxTokens: 8, seed: 1 })) {
    if (piece !== "") break;
  }
  return performance.now() - startMs;
}

/**
 * Milliseconds of importing, of loading, of the first piece, of all, and of a second text's first
 * piece; and what computes. `load` resolves to the package; the options are those of `loadModel`.
 */
export async function measureStart(load, source, options = {}) {
  const startMs = performance.now();
  const { loadModel } = await load();
  const importedMs = performance.now();
  const model = await loadModel(source, options);
  const loadedMs = performance.now();
  const pieceMs = await firstPieceMs(model, PROMPT);
  const allMs = performance.now() - startMs;
  const warmMs = await firstPieceMs(model, NEXT_PROMPT);
  const { variant, threads } = model;
  model.dispose();
  return {
    importMs: importedMs - startMs,
    loadMs: loadedMs - importedMs,
    ...{ pieceMs, allMs, warmMs, variant, threads },
  };
}
