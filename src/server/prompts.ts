/** Prompts and inputs: a text, token ids, or several of either. */
import type { Fields } from "./fields.js";
import { firstTokens } from "./long-texts.js";
import type { Serving } from "./serving.js";

/** Most prompts of one request. */
const MOST_PROMPTS = 2048;

/**
 * The tokens of each prompt of a field; with `truncates` as many as fit into the context. Throws
 * HttpError 400.
 */
export function readPrompts(
  fields: Fields,
  name: string,
  serving: Serving,
  truncates = false,
): number[][] {
  const { tokenizer, plan } = serving.model;
  const { contextLength } = plan.options;
  const value = fields.take(name);
  const encode = (text: string): number[] => {
    if (truncates) return firstTokens(text, tokenizer, contextLength);
    serving.checkTexts(text, name);
    return tokenizer.encode(text, { addBos: true });
  };
  if (typeof value === "string") return [encode(value)];
  const expected = `a text, token ids in [0, ${tokenizer.vocabSize}), or an array of either`;
  if (!Array.isArray(value) || value.length === 0) throw fields.wrong(name, expected);
  const toTokens = (ids: unknown): number[] | undefined => {
    const isValid =
      Array.isArray(ids) &&
      ids.every((id) => Number.isInteger(id) && id >= 0 && id < tokenizer.vocabSize);
    if (!isValid) return undefined;
    return truncates ? ids.slice(0, contextLength) : ids;
  };
  if (typeof value[0] === "number") {
    const tokens = toTokens(value);
    if (tokens === undefined) throw fields.wrong(name, expected);
    return [tokens];
  }
  if (value.length > MOST_PROMPTS) throw fields.wrong(name, `at most ${MOST_PROMPTS} of them`);
  return value.map((each) => {
    const tokens = typeof each === "string" ? encode(each) : toTokens(each);
    if (tokens === undefined) throw fields.wrong(name, expected);
    return tokens;
  });
}
