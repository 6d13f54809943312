// node-llama-cpp: llama.cpp as native code in Node, from its prebuilt binary, on the processor.
import { getLlama, LlamaLogLevel } from "node-llama-cpp";
import { stepwise } from "./stepwise.mjs";
import { together } from "./together.mjs";

/**
 * Each call asks for the most likely token after the last given one. This is the least request that
 * makes llama.cpp compute that token's logits, as the other engines do:
 * `evaluateWithoutGeneratingNewTokens` would leave out the output head, a sixth of all weights.
 * Finding the largest logit is part of the time, less than one percent.
 */
const LAST = { generateNext: { token: true, options: { temperature: 0 } } };

/** Loads a path. Flash attention is off: with it, llama.cpp aborts on PLM's head sizes. */
export async function load({ model: modelPath, threads, contextLength, sequences = 1, options }) {
  const llama = await getLlama({
    gpu: false,
    build: "never",
    maxThreads: threads,
    logLevel: LlamaLogLevel.error,
  });
  const model = await llama.loadModel({ modelPath, gpuLayers: 0 });
  const context = await model.createContext({
    contextSize: contextLength,
    batchSize: Math.min(512, contextLength),
    sequences,
    threads,
    flashAttention: false,
  });
  const all = Array.from({ length: sequences }, () => callsOf(context.getSequence()));
  const [{ sequence, evaluate, truncate }] = all;
  return {
    about: { threads: context.currentThreads, llamaCpp: llama.llamaCppRelease.release },
    ...stepwise({ evaluate, truncate }),
    together: together(all, options),
    /** Milliseconds of a prompt that may begin as the sequence does: it keeps what they share. */
    async first({ tokens }) {
      const startMs = performance.now();
      await sequence.adaptStateToTokens(tokens.slice(0, -1), false);
      await evaluate(tokens.slice(sequence.nextTokenIndex));
      return performance.now() - startMs;
    },
  };
}

/** A sequence and the calls that are timed. */
function callsOf(sequence) {
  return {
    sequence,
    evaluate: (tokens) =>
      sequence.controlledEvaluate([...tokens.slice(0, -1), [tokens.at(-1), LAST]]),
    truncate: async (start) => {
      const end = sequence.nextTokenIndex;
      if (start < end) await sequence.eraseContextTokenRanges([{ start, end }]);
    },
  };
}
