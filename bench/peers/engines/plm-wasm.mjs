// plm-wasm from the repository's build, in Node and in a page.
import { loadModel } from "../../../build/src/index.js";
import { stepwise } from "./stepwise.mjs";

/** Loads a path or Blob. The logits of the last token are copied out after every call. */
export async function load({ model, threads, contextLength, options }) {
  const loaded = await loadModel(model, { threads, contextLength, ...options });
  const session = loaded.createSession();
  const out = new Float32Array(session.vocabSize);
  return {
    about: { threads: loaded.threads ?? loaded.plan.options.threads ?? 1 },
    ...stepwise({
      evaluate: (tokens) => session.evaluate(tokens, { out }),
      truncate: (length) => session.truncate(length),
    }),
  };
}
