/** The log of a training run: one JSON object per line, one line per step. */

/** Loss on held-out text. */
export interface Evaluation {
  /** Mean negative log probability of a token, in nats. */
  readonly loss: number;
  readonly bitsPerByte: number;
  readonly perplexity: number;
}

/** A step; numbers that were not finite are null in the file. */
export interface LogLine {
  /** The update, from 1. */
  readonly step: number;
  /** Tokens learnt from so far. */
  readonly tokens: number;
  /** Mean training loss of the step, in nats per token. */
  readonly loss: number | null;
  readonly rate: number;
  /** Global norm of the gradient before clipping. */
  readonly gradNorm: number | null;
  /** Each layer's share of zeros after the squared ReLU. */
  readonly zeroShares: readonly number[];
  readonly tokensPerSecond: number;
  readonly evaluation?: Evaluation;
  /** Text by the model. */
  readonly sample?: string;
}

/**
 * The steps of a log, in order. Of a step that occurs again, as after a resume, the last line
 * counts. Lines that are not steps are skipped: a killed process leaves half a line.
 */
export function parseLog(text: string): LogLine[] {
  const steps = new Map<number, LogLine>();
  for (const line of text.split("\n")) {
    const parsed = parseLine(line);
    if (parsed !== undefined) steps.set(parsed.step, parsed);
  }
  return [...steps.values()].sort((a, b) => a.step - b.step);
}

function parseLine(line: string): LogLine | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const value: LogLine = JSON.parse(line);
    const isStep = Number.isSafeInteger(value.step) && Array.isArray(value.zeroShares);
    return isStep ? value : undefined;
  } catch {
    return undefined;
  }
}
