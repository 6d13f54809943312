// Times several sequences of one engine that decode at the same time.

/**
 * Decoding in all of `sequences`, each with `evaluate(tokens)` and `truncate(length)` as stepwise
 * takes them. They run side by side, each as fast as it can; `inStep`, none begins its next token
 * before all have theirs.
 */
export function together(sequences, { inStep = false } = {}) {
  /** Milliseconds of evaluating tokens one by one in every sequence, after those of a context. */
  return async ({ tokens: context }, { tokens }) => {
    for (const { evaluate, truncate } of sequences) {
      await truncate(0);
      await evaluate(context);
    }
    const startMs = performance.now();
    if (inStep) {
      for (const token of tokens) {
        await Promise.all(sequences.map(({ evaluate }) => evaluate([token])));
      }
    } else {
      const run = async ({ evaluate }) => {
        for (const token of tokens) await evaluate([token]);
      };
      await Promise.all(sequences.map(run));
    }
    return performance.now() - startMs;
  };
}
