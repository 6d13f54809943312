/** Log probabilities in OpenAI's shapes. */

import type { Logprob, TokenLogprob } from "../../generation/logprobs.js";
import { requireGlobal } from "../../globals.js";
import type { Tokenizer } from "../../tokenizer/tokenizer.js";

/** JSON has no -Infinity. */
const LEAST = -9999;

interface ShownLogprob {
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[];
}

/** The items of `logprobs.content`, with so many alternatives. */
export function toContent(
  tokenizer: Tokenizer,
  logprobs: readonly TokenLogprob[],
  alternatives: number,
): object[] {
  return logprobs.map((each) => ({
    ...toShown(tokenizer, each),
    top_logprobs: each.top.slice(0, alternatives).map((top) => toShown(tokenizer, top)),
  }));
}

function toShown(tokenizer: Tokenizer, { token, logprob }: Logprob): ShownLogprob {
  const bytes = Array.from(tokenizer.tokenBytes(token));
  return { token: tokenizer.decode([token]), logprob: finite(logprob), bytes };
}

/** `logprobs` of a text completion; `offset` is where the text of the first token begins. */
export function toLegacy(
  tokenizer: Tokenizer,
  logprobs: readonly TokenLogprob[],
  alternatives: number,
  offset: number,
): object {
  let at = offset;
  const offsets: number[] = [];
  const tops = logprobs.map(({ top }) =>
    Object.fromEntries(
      top
        .slice(0, alternatives)
        .map(({ token, logprob }) => [textOf(tokenizer, token), finite(logprob)]),
    ),
  );
  const tokens = logprobs.map(({ token }) => {
    offsets.push(at);
    at += tokenizer.decode([token]).length;
    return textOf(tokenizer, token);
  });
  return {
    tokens,
    token_logprobs: logprobs.map(({ logprob }) => finite(logprob)),
    top_logprobs: alternatives > 0 ? tops : null,
    text_offset: offsets,
  };
}

/** A token's text; its bytes where they are no whole characters, so that keys differ. */
function textOf(tokenizer: Tokenizer, token: number): string {
  const bytes = tokenizer.tokenBytes(token);
  try {
    const decoder = new (requireGlobal("TextDecoder"))("utf-8", { fatal: true, ignoreBOM: true });
    return decoder.decode(bytes);
  } catch {
    const hex = Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, "0")}`);
    return `bytes:${hex.join("")}`;
  }
}

function finite(logprob: number): number {
  return Math.max(logprob, LEAST);
}
