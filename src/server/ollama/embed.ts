/** Ollama's `POST /api/embed`. */
import type { AnswerContext } from "../answer.js";
import { embedAll } from "../embed-all.js";
import type { Fields } from "../fields.js";
import { readPrompts } from "../prompts.js";
import type { Reply } from "../reply.js";
import { readHead, readOptions } from "./options.js";
import { nanoseconds } from "./stream.js";

export async function ollamaEmbed(fields: Fields, context: AnswerContext): Promise<Reply> {
  const { serving } = context;
  readHead(fields, serving);
  const truncates = fields.flag("truncate", true);
  readOptions(fields, serving);
  const inputs = readPrompts(fields, "input", serving, truncates);
  fields.acceptOnly({ dimensions: [serving.model.config.hiddenSize] }).refuseOthers();
  const startMs = serving.clock.now();
  const vectors = await embedAll(context, inputs);
  return {
    body: {
      model: serving.modelName,
      embeddings: vectors.map((vector) => Array.from(vector)),
      total_duration: nanoseconds(serving.clock.now() - startMs),
      load_duration: 0,
      prompt_eval_count: inputs.reduce((sum, { length }) => sum + length, 0),
    },
  };
}
