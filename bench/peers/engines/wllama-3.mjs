// The latest wllama: llama.cpp's server in WebAssembly, in a page. It cannot evaluate given tokens;
// its completions of text report the times of prompt and generation.
import { LoggerWithoutDebug, Wllama } from "../node_modules/wllama-3/esm/index.js";

/**
 * Loads a Blob. Flash attention is off, since it aborts with it on PLM's head sizes; no WebGPU; one
 * sequence, as in the other engines.
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

  /** The timings of a greedy completion of a text, continued until there are enough tokens. */
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

    /** The engine's own time of evaluating the prompt, from an empty cache. */
    async prefill({ tokens, text }) {
      const { prompt_n: count, prompt_ms: ms } = await complete(text, 1, false);
      if (count !== tokens.length) throw new Error(`${count} of ${tokens.length} were evaluated`);
      return ms;
    },

    /**
     * The engine's own time of generating after a context. Its clock starts after the first token
     * was chosen from the prompt's logits, so one extra token is generated.
     */
    async decode({ text }, { tokens }) {
      return (await complete(text, tokens.length + 1, true)).predicted_ms;
    },
  };
}
