/**
 * Refuses texts that the context has no room for before they are tokenized as a whole: that could
 * take seconds, in which nothing else is answered.
 */
import type { Tokenizer } from "../tokenizer/tokenizer.js";
import { HttpError } from "./http-error.js";

/** Characters a token of texts that are looked at piece by piece; ordinary texts have about 4. */
const CHARACTERS_PER_TOKEN = 16;

/** Tokens by which a piece and the same part of the whole may differ. */
const BORDER_TOKENS = 64;

/**
 * Throws HttpError 400 for a text that surely has more tokens than the context; `param` is the
 * field that it came in.
 */
export function checkLength(
  text: string,
  tokenizer: Tokenizer,
  contextLength: number,
  param: string,
): void {
  const step = contextLength * CHARACTERS_PER_TOKEN;
  if (text.length <= step) return;
  let count = 0;
  for (let start = 0; start < text.length; start += step) {
    const piece = tokenizer.encode(text.slice(start, start + step), { special: true });
    count += Math.max(0, piece.length - BORDER_TOKENS);
    if (count <= contextLength) continue;
    const expected = `at most ${contextLength} tokens (the context)`;
    throw new HttpError(400, `${param}: expected ${expected}, got a longer text`, {
      param,
      code: "context_length_exceeded",
    });
  }
}

/** The first tokens of a text, of which no more is tokenized than is surely enough. */
export function firstTokens(text: string, tokenizer: Tokenizer, most: number): number[] {
  for (let length = CHARACTERS_PER_TOKEN * most; ; length *= 2) {
    const tokens = tokenizer.encode(text.slice(0, length), { addBos: true });
    // The last ones depend on what follows.
    if (length >= text.length || tokens.length > most + BORDER_TOKENS) return tokens.slice(0, most);
  }
}

/** All texts of a value as one: what a template can show of messages or tools. */
export function textsOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null) return "";
  return Object.values(value).map(textsOf).join("\n");
}
