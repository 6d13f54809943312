/** A model that gives the answers of a script, in a session of its own making. */
import type { Model } from "../../../src/generation/model.js";
import type { Session } from "../../../src/index.js";
import { Tokenizer } from "../../../src/tokenizer/tokenizer.js";
import { certain } from "../../generation/support/markov.js";
import { small, smallSource } from "../../tokenizer/support/small.js";

const TEMPLATE =
  "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}" +
  "{% if add_generation_prompt %}<answer>{% endif %}";

/** A token that ends an answer. */
const END = 268;

/** A model with these answers, one after another, and the prompts that it was given. */
export function scriptedModel(...answers: string[]): { model: Model; prompts: string[] } {
  const prompts: string[] = [];
  const tokenizer = new Tokenizer({ ...smallSource(), chatTemplate: TEMPLATE });
  const createSession = (): Session => {
    let tokens: number[] = [];
    let rest: number[] = [];
    const session = {
      vocabSize: small.vocabSize,
      contextLength: 10_000,
      cachedTokens: 0,
      get length() {
        return tokens.length;
      },
      get tokens() {
        return Uint32Array.from(tokens);
      },
      async evaluate(more: ArrayLike<number>, { logits }: { logits?: string } = {}) {
        tokens.push(...Array.from(more));
        if (logits === "none") return new Float32Array(0);
        const text = small.decode(tokens);
        if (text.endsWith("<answer>")) {
          prompts.push(text);
          rest = small.encode(answers.shift()!);
        }
        return Float32Array.from(certain(rest.shift() ?? END, small.vocabSize));
      },
      truncate(length: number) {
        tokens = tokens.slice(0, length);
      },
      dispose() {},
    };
    return session as unknown as Session;
  };
  return { model: { tokenizer, createSession } as unknown as Model, prompts };
}
