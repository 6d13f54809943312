/** `POST /v1/embeddings`. */
import { requireGlobal } from "../../globals.js";
import type { AnswerContext } from "../answer.js";
import { embedAll } from "../embed-all.js";
import type { Fields } from "../fields.js";
import { readPrompts } from "../prompts.js";
import type { Reply } from "../reply.js";

export async function embeddings(fields: Fields, context: AnswerContext): Promise<Reply> {
  const { serving } = context;
  serving.checkModel(fields.text("model"));
  const inputs = readPrompts(fields, "input", serving);
  const format = fields.text("encoding_format") ?? "float";
  if (format !== "float" && format !== "base64") {
    throw fields.wrong("encoding_format", '"float" or "base64"');
  }
  fields.accept("user").acceptOnly({ dimensions: [serving.model.config.hiddenSize] });
  fields.refuseOthers();
  const vectors = await embedAll(context, inputs);
  const tokens = inputs.reduce((sum, { length }) => sum + length, 0);
  return {
    body: {
      object: "list",
      model: serving.modelName,
      data: vectors.map((vector, index) => ({
        object: "embedding",
        index,
        embedding: format === "float" ? Array.from(vector) : toBase64(vector),
      })),
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    },
  };
}

/** The numbers as little-endian f32. */
function toBase64(vector: Float32Array): string {
  const view = new DataView(new ArrayBuffer(4 * vector.length));
  vector.forEach((x, i) => {
    view.setFloat32(4 * i, x, true);
  });
  const bytes = new Uint8Array(view.buffer);
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return requireGlobal("btoa")(text);
}
