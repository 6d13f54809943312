/** Measures the loaded model: how fast it reads a prompt and how fast it writes. */
import { generate, type Model } from "plm-wasm";

export const REPETITIONS = 5;
const PROMPT_TOKENS = 128;
const WRITTEN_TOKENS = 32;

export interface Rates {
  /** Tokens per second of each repetition. */
  readonly values: readonly number[];
  readonly median: number;
}

export interface Measurement {
  readonly promptTokens: number;
  readonly writtenTokens: number;
  readonly prefill: Rates;
  readonly decode: Rates;
}

/** Rejects as `generate` does, and with the signal's reason. */
export async function measure(
  model: Model,
  signal: AbortSignal,
  onProgress: (share: number) => void,
): Promise<Measurement> {
  const { contextLength } = model.plan.options;
  const promptTokens = Math.min(PROMPT_TOKENS, Math.floor(contextLength / 2));
  const writtenTokens = Math.min(WRITTEN_TOKENS, Math.floor(contextLength / 4));
  const prefill: number[] = [];
  const decode: number[] = [];
  // The first one warms up, and is not counted.
  for (let round = 0; round <= REPETITIONS; round++) {
    onProgress(round / (REPETITIONS + 1));
    const tokens = randomTokens(promptTokens, model.config.vocabSize);
    const session = model.createSession();
    const options = { temperature: 0, maxTokens: writtenTokens, ignoreEos: true, signal };
    try {
      const { timings } = await generate(session, model.tokenizer, tokens, options).result();
      if (round === 0) continue;
      prefill.push(timings.prefillTokensPerSecond);
      decode.push(timings.tokensPerSecond);
    } finally {
      session.dispose();
    }
  }
  return { promptTokens, writtenTokens, prefill: ratesOf(prefill), decode: ratesOf(decode) };
}

/** Other ones each time, so that no rows of an earlier prompt are reused. */
function randomTokens(count: number, vocabSize: number): number[] {
  return Array.from({ length: count }, () => Math.floor(Math.random() * vocabSize));
}

function ratesOf(values: readonly number[]): Rates {
  const sorted = [...values].sort((a, b) => a - b);
  return { values, median: sorted[sorted.length >> 1] };
}
