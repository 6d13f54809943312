/** Times and counts of a generation, as llama-server and OpenAI name them. */
import type { GenerationResult } from "../generation/generation.js";
import { type Choice, countPrompts } from "./answer.js";

/** llama-server's `timings`. */
export function timingsOf({
  promptTokens,
  cachedTokens,
  tokens,
  timings,
}: GenerationResult): object {
  const { prefillMs, decodeMs } = timings;
  const evaluated = promptTokens - cachedTokens;
  return {
    cache_n: cachedTokens,
    prompt_n: evaluated,
    prompt_ms: prefillMs,
    prompt_per_token_ms: ratio(prefillMs, evaluated),
    prompt_per_second: ratio(1000 * evaluated, prefillMs),
    predicted_n: tokens.length,
    predicted_ms: decodeMs,
    predicted_per_token_ms: ratio(decodeMs, tokens.length),
    predicted_per_second: ratio(1000 * tokens.length, decodeMs),
  };
}

/** Tokens of a request. */
export interface TokenUsage {
  readonly prompt: number;
  readonly cached: number;
  readonly completion: number;
}

/** The tokens of all choices. A prompt counts once, and is cached as its first choice's was. */
export function countTokens(
  choices: readonly Choice[],
  results: readonly (GenerationResult | undefined)[],
): TokenUsage {
  const firsts = new Map(choices.map(({ prompt }, i) => [prompt, i] as const).reverse());
  let cached = 0;
  for (const i of firsts.values()) cached += results[i]?.cachedTokens ?? 0;
  const completion = results.reduce((sum, result) => sum + (result?.tokens.length ?? 0), 0);
  return { prompt: countPrompts(choices), cached, completion };
}

/** OpenAI's `usage` of completions. */
export function usageOf({ prompt, cached, completion }: TokenUsage): object {
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: cached },
  };
}

function ratio(a: number, b: number): number {
  return b > 0 ? a / b : 0;
}
