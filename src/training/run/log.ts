/** The log of a training run: a JSON object a line, one line a step. */

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
  /** Mean training loss of the step, in nats a token. */
  readonly loss: number | null;
  readonly rate: number;
  /** Global norm of the gradient, before it was clipped. */
  readonly gradNorm: number | null;
  /** The share of zeros that each layer's squared ReLU gave. */
  readonly zeroShares: readonly number[];
  readonly tokensPerSecond: number;
  readonly evaluation?: Evaluation;
  /** What the model wrote. */
  readonly sample?: string;
}

/**
 * The steps of a log, in order. A step that comes again, as after a resume, counts as it came last.
 * Lines that are no step's are passed over: a killed process leaves half a line.
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
