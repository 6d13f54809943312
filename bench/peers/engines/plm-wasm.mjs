// plm-wasm from the repository's build, in Node and in a page.
import { loadModel } from "../../../build/src/index.js";
import { stepwise } from "./stepwise.mjs";
import { together } from "./together.mjs";

/** Loads a path or Blob. The logits of the last token are copied out after every call. */
export async function load({ model, threads, contextLength, sequences = 1, options }) {
  const loaded = await loadModel(model, {
    ...{ threads, contextLength, cacheTokens: sequences * contextLength },
    // What is measured again must be evaluated again.
    ...{ prefixCache: false, ...options },
  });
  const sessions = Array.from({ length: sequences }, () => loaded.createSession());
  const [session] = sessions;
  const out = new Float32Array(session.vocabSize);
  const all = sessions.map((each) => {
    const own = new Float32Array(each.vocabSize);
    return {
      evaluate: (tokens) => each.evaluate(tokens, { out: own }),
      truncate: (length) => each.truncate(length),
    };
  });
  return {
    about: { threads: loaded.threads ?? loaded.plan.options.threads ?? 1 },
    ...stepwise({
      evaluate: (tokens) => session.evaluate(tokens, { out }),
      truncate: (length) => session.truncate(length),
    }),
    together: together(all),
    /** Milliseconds of a prompt whose beginning another session may have evaluated. */
    async first({ tokens }) {
      const next = loaded.createSession();
      const startMs = performance.now();
      await next.evaluate(tokens, { out });
      const ms = performance.now() - startMs;
      next.dispose();
      return ms;
    },
  };
}
