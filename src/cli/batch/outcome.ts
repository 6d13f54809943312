/** What became of a line, as OpenAI's batches say it. */
import { createIdentifier } from "../../server/identifiers.js";
import type { BatchLine } from "./lines.js";

/** The server's answer, or why there is none. */
export type Outcome = LineAnswer | LineFailure;

/** What the server answered; also with a status of 400 and more. */
export interface LineAnswer {
  readonly status: number;
  readonly body: object;
}

/** Why the server was not asked, or did not answer. */
export interface LineFailure {
  readonly code: "invalid_line" | "worker_failed";
  readonly message: string;
}

/** Whether a line is answered with what it asked for. */
export function isSuccess(outcome: Outcome): boolean {
  return "status" in outcome && outcome.status < 300;
}

/** Tokens that were generated for it. */
export function tokensOf(outcome: Outcome): number {
  if (!("status" in outcome)) return 0;
  const { usage } = outcome.body as { usage?: Record<string, number> };
  return usage?.completion_tokens ?? usage?.output_tokens ?? 0;
}

/** The line of the output, with its line feed. */
export function formatOutcome({ customId, number }: BatchLine, outcome: Outcome): string {
  const id = createIdentifier("batch_req_");
  const isAnswer = "status" in outcome;
  const response = isAnswer
    ? {
        status_code: outcome.status,
        request_id: createIdentifier("req_"),
        body: outcome.body,
      }
    : null;
  const error = isAnswer ? null : { ...outcome, line: number };
  return `${JSON.stringify({ id, custom_id: customId, response, error })}\n`;
}
