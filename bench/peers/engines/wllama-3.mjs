// The latest wllama: llama.cpp's server in WebAssembly, in a page. It has no call that evaluates
// given tokens, only completions of text, which report how long their two parts took.
import { LoggerWithoutDebug, Wllama } from "../node_modules/wllama-3/esm/index.js";

/**
 * Loads a Blob. Without flash attention, with which it aborts on PLM's head sizes; without WebGPU;
 * one sequence, as the other engines have.
 */
export async function load({ model, threads, contextLength }) {
  const wasm = new URL("../node_modules/wllama-3/esm/wasm/wllama.wasm", import.meta.url).href;
  const wllama = new Wllama(
    { default: wasm },
    { suppressNativeLog: true, logger: LoggerWithoutDebug },
  );
  await wllama.loadModel([model], {
    n_ctx: contextLength,
    n_threads: threads,
    n_parallel: 1,
    n_gpu_layers: 0,
    flash_attn: false,
  });

  /** The timings of a greedy completion of a text, which goes on until there are enough tokens. */
  async function complete(prompt, count, reuse) {
    const options = { temperature: 0, top_k: 1, ignore_eos: true, cache_prompt: reuse };
    const { timings } = await wllama.createCompletion({ prompt, max_tokens: count, ...options });
    if (timings.predicted_n !== count) {
      throw new Error(`${timings.predicted_n} of ${count} tokens were generated`);
    }
    return timings;
  }

  return {
    about: {
      threads: wllama.isMultithread() ? wllama.getNumThreads() : 1,
      llamaCpp: Wllama.getLibllamaVersion(),
    },

    /** As the engine times its own evaluation of the prompt, from an empty cache. */
    async prefill({ tokens, text }) {
      const { prompt_n: count, prompt_ms: ms } = await complete(text, 1, false);
      if (count !== tokens.length) throw new Error(`${count} of ${tokens.length} were evaluated`);
      return ms;
    },

    /**
     * As the engine times its own generation after a context. Its clock starts when the first token
     * has been taken from the prompt's logits, so one more than wanted is generated.
     */
    async decode({ text }, { tokens }) {
      return (await complete(text, tokens.length + 1, true)).predicted_ms;
    },
  };
}
