// Times an engine that evaluates given tokens and can go back to an earlier length.

/**
 * Prefill and decoding of an engine of two functions: `evaluate(tokens)` appends tokens and
 * resolves when the logits after the last are there; `truncate(length)` drops later tokens.
 */
export function stepwise({ evaluate, truncate }) {
  /** How many tokens of the last decoding's context are at the beginning of the cache. */
  let held = 0;
  return {
    /** Milliseconds of evaluating a prompt's tokens in one call, from an empty cache. */
    async prefill({ tokens }) {
      held = 0;
      await truncate(0);
      const startMs = performance.now();
      await evaluate(tokens);
      return performance.now() - startMs;
    },

    /**
     * Milliseconds of evaluating tokens one by one after those of a context. The context is filled
     * before the clock starts, and stays for the next call.
     */
    async decode({ tokens: context }, { tokens }) {
      if (held === context.length) {
        await truncate(held);
      } else {
        await truncate(0);
        await evaluate(context);
        held = context.length;
      }
      const startMs = performance.now();
      for (const token of tokens) await evaluate([token]);
      return performance.now() - startMs;
    },
  };
}
