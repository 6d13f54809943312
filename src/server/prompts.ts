/** Prompts and inputs: a text, token ids, or several of either. */
import type { Tokenizer } from "../tokenizer/tokenizer.js";
import type { Fields } from "./fields.js";

/** Most prompts of one request. */
const MOST_PROMPTS = 2048;

/** The tokens of each prompt of a field. Throws HttpError 400. */
export function readPrompts(fields: Fields, name: string, tokenizer: Tokenizer): number[][] {
  const value = fields.take(name);
  if (typeof value === "string") return [encode(value, tokenizer)];
  const expected = `a text, token ids in [0, ${tokenizer.vocabSize}), or an array of either`;
  if (!Array.isArray(value) || value.length === 0) throw fields.wrong(name, expected);
  const toTokens = (ids: unknown): number[] | undefined => {
    const isValid =
      Array.isArray(ids) &&
      ids.every((id) => Number.isInteger(id) && id >= 0 && id < tokenizer.vocabSize);
    return isValid ? (ids as number[]) : undefined;
  };
  if (typeof value[0] === "number") {
    const tokens = toTokens(value);
    if (tokens === undefined) throw fields.wrong(name, expected);
    return [tokens];
  }
  if (value.length > MOST_PROMPTS) throw fields.wrong(name, `at most ${MOST_PROMPTS} of them`);
  return value.map((each) => {
    const tokens = typeof each === "string" ? encode(each, tokenizer) : toTokens(each);
    if (tokens === undefined) throw fields.wrong(name, expected);
    return tokens;
  });
}

function encode(text: string, tokenizer: Tokenizer): number[] {
  return tokenizer.encode(text, { addBos: true });
}
