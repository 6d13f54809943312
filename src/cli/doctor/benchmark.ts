/** The benchmark of `plm doctor`: the model that ships on one thread and on all. */
import { loadModel } from "../../generation/load-model.js";
import { type BenchRun, measureDecode, measurePrefill, median } from "../bench.js";
import type { Benchmark, Rates } from "./report.js";

const PREFILL_TOKENS = 128;
const DECODE_TOKENS = 32;

/** The time of one measurement; there are two for each number of threads. */
const BUDGET_MS = 2000;
const LEAST_ROUNDS = 3;
const MOST_ROUNDS = 500;

/** Rates with each of the numbers of threads, in about two measurements' time each. */
export async function benchmark(
  source: URL,
  threads: ReadonlySet<number>,
  signal: AbortSignal,
): Promise<Benchmark> {
  const rates: Rates[] = [];
  for (const count of threads) rates.push(await measure(source, count, signal));
  return { prefillTokens: PREFILL_TOKENS, decodeTokens: DECODE_TOKENS, rates };
}

async function measure(source: URL, threads: number, signal: AbortSignal): Promise<Rates> {
  const contextLength = PREFILL_TOKENS;
  const model = await loadModel(source, { threads, contextLength, prefixCache: false, signal });
  try {
    const once: BenchRun = { session: model.createSession(), depth: 0, repeat: 1, signal };
    const prefill = (run: BenchRun): Promise<number> => measurePrefill(run, PREFILL_TOKENS);
    const decode = async (run: BenchRun): Promise<number> => {
      const rounds = await measureDecode(model, run, DECODE_TOKENS);
      return median(rounds.map(({ decodeMs }) => decodeMs));
    };
    const prefillMs = await within(BUDGET_MS, once, prefill);
    const decodeMs = await within(BUDGET_MS, once, decode);
    return {
      threads: model.threads,
      prefill: { tokensPerSecond: (1000 * PREFILL_TOKENS) / prefillMs },
      decode: { tokensPerSecond: (1000 * DECODE_TOKENS) / decodeMs },
    };
  } finally {
    model.dispose();
  }
}

/** The median of as many rounds as the time allows, after one that says how long they take. */
async function within(
  budgetMs: number,
  once: BenchRun,
  measure: (run: BenchRun) => Promise<number>,
): Promise<number> {
  const startMs = performance.now();
  await measure(once);
  const rounds = Math.floor(budgetMs / (performance.now() - startMs));
  const repeat = Math.min(Math.max(rounds, LEAST_ROUNDS), MOST_ROUNDS);
  return measure({ ...once, repeat });
}
