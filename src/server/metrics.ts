/** What the server has done, for Prometheus; names as in llama-server where it has them. */
import type { GenerationResult } from "../generation/generation.js";
import type { SessionOutcome } from "./kept-session.js";

/** What is so now. */
export interface Gauges {
  readonly running: number;
  readonly waiting: number;
  readonly pagesInUse: number;
  readonly pages: number;
}

type Kind = "counter" | "gauge";

export class Metrics {
  #promptTokens = 0;
  #promptMs = 0;
  #cachedTokens = 0;
  #predictedTokens = 0;
  #predictedMs = 0;
  #longest = 0;
  #last = { promptRate: 0, predictedRate: 0 };
  /** Requests by route and status. */
  readonly #requests = new Map<string, number>();
  /** Requests that named a session, by what became of it. */
  readonly #sessions = new Map<string, number>();

  /** Counts a generation, or what there is of one. */
  addGeneration({ promptTokens, cachedTokens, tokens, timings }: GenerationResult): void {
    // One that ended while it waited has evaluated nothing.
    const isEvaluated = timings.prefillMs > 0;
    this.addPrompt(isEvaluated ? promptTokens - cachedTokens : 0, timings.prefillMs);
    this.#cachedTokens += cachedTokens;
    this.#predictedTokens += tokens.length;
    this.#predictedMs += timings.decodeMs;
    if (isEvaluated) this.#longest = Math.max(this.#longest, promptTokens + tokens.length);
    const { prefillTokensPerSecond: promptRate, tokensPerSecond: predictedRate } = timings;
    if (isEvaluated) this.#last = { promptRate, predictedRate };
  }

  /** Counts tokens that were evaluated. */
  addPrompt(tokens: number, ms: number): void {
    this.#promptTokens += tokens;
    this.#promptMs += ms;
  }

  addRequest(route: string | null, status: number): void {
    addTo(this.#requests, `route="${route ?? ""}",status="${status}"`);
  }

  addSession(outcome: SessionOutcome): void {
    addTo(this.#sessions, `outcome="${outcome}"`);
  }

  /** The text for Prometheus. */
  render({ running, waiting, pagesInUse, pages }: Gauges): string {
    const { promptRate, predictedRate } = this.#last;
    const values: readonly [name: string, kind: Kind, help: string, value: number][] = [
      ["llamacpp:prompt_tokens_total", "counter", "Prompt tokens evaluated.", this.#promptTokens],
      [
        ...(["llamacpp:prompt_seconds_total", "counter"] as const),
        ...(["Time of evaluating prompts.", this.#promptMs / 1000] as const),
      ],
      ["llamacpp:tokens_predicted_total", "counter", "Tokens generated.", this.#predictedTokens],
      [
        ...(["llamacpp:tokens_predicted_seconds_total", "counter"] as const),
        ...(["Time of generating tokens.", this.#predictedMs / 1000] as const),
      ],
      ["llamacpp:n_tokens_max", "counter", "Most tokens of a sequence.", this.#longest],
      ["llamacpp:prompt_tokens_seconds", "gauge", "The last prompt's rate.", promptRate],
      ["llamacpp:predicted_tokens_seconds", "gauge", "The last answer's rate.", predictedRate],
      ["llamacpp:requests_processing", "gauge", "Generations that run.", running],
      ["llamacpp:requests_deferred", "gauge", "Generations that wait.", waiting],
      ["plm:cached_tokens_total", "counter", "Prompt tokens reused.", this.#cachedTokens],
      ["plm:pages", "gauge", "Pages of the cache.", pages],
      ["plm:pages_in_use", "gauge", "Pages that sequences hold.", pagesInUse],
    ];
    const lines = values.flatMap(([name, kind, help, value]) => [
      ...headOf(name, kind, help),
      `${name} ${value}`,
    ]);
    const tallies: readonly [name: string, help: string, counts: ReadonlyMap<string, number>][] = [
      ["plm:requests_total", "Requests by route and status.", this.#requests],
      ["plm:sessions_total", "Sessions of requests by what became of them.", this.#sessions],
    ];
    for (const [name, help, counts] of tallies) {
      lines.push(...headOf(name, "counter", help));
      for (const [labels, count] of counts) lines.push(`${name}{${labels}} ${count}`);
    }
    return `${lines.join("\n")}\n`;
  }
}

function addTo(counts: Map<string, number>, labels: string): void {
  counts.set(labels, (counts.get(labels) ?? 0) + 1);
}

function headOf(name: string, kind: Kind, help: string): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${kind}`];
}
