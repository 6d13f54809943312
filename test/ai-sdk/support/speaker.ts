/** A model that says what a test wants, for tests of what becomes of it. */
import { generate } from "../../../src/generation/generate.js";
import type { Model } from "../../../src/generation/model.js";
import type { GenerateOptions } from "../../../src/index.js";
import type { Tokenizer } from "../../../src/tokenizer/tokenizer.js";
import { certain, MarkovModel, tableDecoder } from "../../generation/support/markov.js";
import { small } from "../../tokenizer/support/small.js";

/** A speaker, and what it was asked. */
export interface Speaker {
  readonly model: Model;
  /** The prompt and the options of each answer. */
  readonly asked: { readonly prompt: string; readonly options: GenerateOptions }[];
}

const TEMPLATE = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}<answer>";

/** A model that gives these answers one after another, each in pieces of four characters. */
export function speaker(...answers: string[]): Speaker {
  const asked: Speaker["asked"] = [];
  const tokenizer = Object.create(small, { chatTemplate: { value: TEMPLATE } }) as Tokenizer;
  tokenizer.encode = (...args) => small.encode(...args);
  const model = {
    tokenizer,
    generate(tokens: number[], options: GenerateOptions) {
      const pieces = answers.shift()!.match(/.{1,4}/gs) ?? [];
      asked.push({ prompt: small.decode(tokens), options });
      const size = pieces.length + 2;
      const table = Array.from({ length: size }, (_, id) => certain((id + 1) % size, size));
      const decoder = tableDecoder(["", ...pieces, ""], [size - 1]);
      const { maxTokens, stop, signal } = options;
      return generate(new MarkovModel(table), decoder, [0], {
        temperature: 0,
        ...(maxTokens !== undefined && { maxTokens }),
        ...(stop !== undefined && { stop }),
        ...(signal !== undefined && { signal }),
      });
    },
  };
  return { model: model as unknown as Model, asked };
}
