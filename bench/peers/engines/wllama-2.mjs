// wllama 2.3.1, the last version with defaults that run PLM: llama.cpp in WebAssembly, in a page.
import { LoggerWithoutDebug, Wllama } from "../node_modules/wllama-2/esm/index.js";
import { stepwise } from "./stepwise.mjs";

const pathOf = (build) =>
  new URL(`../node_modules/wllama-2/esm/${build}/wllama.wasm`, import.meta.url).href;

/** Loads a Blob, which must be under 2 GiB. */
export async function load({ model, threads, contextLength }) {
  const wllama = new Wllama(
    {
      "single-thread/wllama.wasm": pathOf("single-thread"),
      "multi-thread/wllama.wasm": pathOf("multi-thread"),
    },
    { suppressNativeLog: true, logger: LoggerWithoutDebug },
  );
  await wllama.loadModel([model], { n_ctx: contextLength, n_threads: threads });
  let length = 0;
  return {
    about: { threads: wllama.isMultithread() ? wllama.getNumThreads() : 1 },
    ...stepwise({
      // Asks for the logits of the last token; they stay in the worker.
      evaluate: async (tokens) => {
        const { nPast } = await wllama.decode(tokens, {});
        length = nPast;
      },
      truncate: async (start) => {
        if (start === 0) await wllama.kvClear();
        else await wllama.kvRemove(start, length - start);
        length = start;
      },
    }),
  };
}
