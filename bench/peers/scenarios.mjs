// What is measured, as tables: the engines and their scenarios.

const OURS = { module: "plm-wasm", ours: true };

/** By name: the module under engines/, whether it is this project's, and its load options. */
export const ENGINES = {
  "plm-wasm": { ...OURS, options: { precision: "balanced" } },
  "plm-wasm exact": { ...OURS, options: { precision: "exact" } },
  "plm-wasm fast": { ...OURS, options: { precision: "fast" } },
  "plm-wasm q8_0 cache": { ...OURS, options: { precision: "balanced", cacheType: "q8_0" } },
  "plm-wasm reuse": { ...OURS, options: { precision: "balanced", prefixCache: true } },
  "node-llama-cpp": { module: "node-llama-cpp" },
  "node-llama-cpp in step": { module: "node-llama-cpp", options: { inStep: true } },
  "wllama 2.3.1": { module: "wllama-2" },
  "wllama 3.8.1": { module: "wllama-3" },
};

const NATIVE = ["plm-wasm", "node-llama-cpp"];
const PRECISIONS = ["plm-wasm exact", "plm-wasm", "plm-wasm fast", "node-llama-cpp"];
const CACHES = ["plm-wasm", "plm-wasm q8_0 cache", "node-llama-cpp"];
const BROWSER = ["plm-wasm", "wllama 2.3.1", "wllama 3.8.1"];

/** Decoding outside the depth scenarios begins after this many tokens. */
const DEPTH = 16;
const STEPS = 32;

/** Positions: enough for 512 tokens, and for 4,000 and the steps after them. */
const SHORT = 1024;
const LONG = 4096;

const decode = (file, threads, engines) => ({
  kind: "decode",
  place: "node",
  file,
  threads,
  contextLength: SHORT,
  depth: DEPTH,
  steps: STEPS,
  engines,
});

const prefill = (tokens, threads) => ({
  kind: "prefill",
  place: "node",
  file: "q8_0",
  threads,
  contextLength: SHORT,
  tokens,
  engines: PRECISIONS,
});

const depth = { ...decode("q8_0", 2, CACHES), kind: "depth", depth: 4000, contextLength: LONG };

/** Eight sequences at once, each with the same tokens. */
const SEQUENCES = ["plm-wasm", "node-llama-cpp", "node-llama-cpp in step"];
const together = {
  ...{ kind: "sequences", place: "node", file: "q8_0", threads: 2, contextLength: 256 },
  ...{ sequences: 8, depth: DEPTH, steps: 16, engines: SEQUENCES },
};

/** The first token of a prompt that begins as the one before. */
const behind = {
  ...{ kind: "prefix", place: "node", file: "q8_0", threads: 2, contextLength: 2048 },
  ...{ shared: 1500, tail: 20, engines: ["plm-wasm reuse", "plm-wasm", "node-llama-cpp"] },
};

const chromium = (scenario) => ({
  ...scenario,
  kind: "chromium",
  place: "chromium",
  engines: BROWSER,
});

/** Shown in tables, not in the chart. */
const minor = (scenario) => ({ ...scenario, isMinor: true });

/**
 * A scenario has `tokens` if it measures prefill, else `depth` and `steps`. Engines are loaded once
 * for consecutive scenarios with the same place, file, threads and contextLength.
 */
export const SCENARIOS = [
  decode("q8_0", 1, NATIVE),
  minor(prefill(128, 1)),
  minor(prefill(512, 1)),
  decode("q8_0", 2, NATIVE),
  prefill(128, 2),
  prefill(512, 2),
  minor(decode("q4_0", 1, NATIVE)),
  decode("q4_0", 2, NATIVE),
  depth,
  minor(together),
  minor(behind),
  chromium(decode("q8_0", 2, BROWSER)),
  chromium(prefill(128, 2)),
];

export const KINDS = ["decode", "prefill", "depth", "sequences", "prefix", "chromium"];

/** The same scenarios with fewer tokens: checks that everything runs, not how fast. */
export const shortened = (scenario) =>
  scenario.shared !== undefined
    ? { ...scenario, shared: 40 }
    : scenario.tokens === undefined
      ? { ...scenario, depth: Math.min(scenario.depth, 256), steps: 4 }
      : { ...scenario, tokens: scenario.tokens / 8 };

/** "Decode at depth 4,000, Q8_0, 2 threads, Node", for tables and charts. */
export function titleOf({ tokens, depth, place, file, threads, sequences, shared, tail }) {
  const atDepth = depth > DEPTH ? ` at depth ${depth.toLocaleString("en")}` : "";
  const what =
    shared !== undefined
      ? `A prompt of ${shared} shared tokens and ${tail} new ones`
      : tokens !== undefined
        ? `Prefill of ${tokens} tokens`
        : `Decode${atDepth}${sequences === undefined ? "" : ` of ${sequences} sequences`}`;
  const where = place === "chromium" ? "Chromium" : "Node";
  return `${what}, ${file.toUpperCase()}, ${threads} thread${threads > 1 ? "s" : ""}, ${where}`;
}
