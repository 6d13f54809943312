/** Ollama's `options`, `format` and what all its requests have. */
import type { GenerateOptions } from "../../generation/options.js";
import type { ResponseFormat } from "../../generation/response-format.js";
import { Fields } from "../fields.js";
import { MOST_ALTERNATIVES } from "../openai/completion.js";
import { checkSchema } from "../openai/response-format.js";
import { readSampling } from "../sampling.js";
import type { Serving } from "../serving.js";

/** Options about memory and machines, which do not change what is written. */
const MACHINE = [
  ...["num_keep", "num_batch", "num_gpu", "main_gpu", "num_thread", "use_mmap", "use_mlock"],
  ...["low_vram", "numa", "f16_kv", "vocab_only", "logits_all", "embedding_only"],
];

/** `model` and `keep_alive`. */
export function readHead(fields: Fields, serving: Serving): void {
  serving.checkModel(fields.text("model") ?? fields.text("name"));
  fields.accept("keep_alive");
}

/** The options of the library among `options`. */
export function readOptions(fields: Fields, serving: Serving): GenerateOptions {
  const options = fields.fields("options") ?? new Fields({}, "options", fields.names);
  const read = readSampling(options, ["num_predict"]);
  const { contextLength } = serving.model.plan.options;
  options.integer("num_ctx", 1, contextLength);
  options.accept(...MACHINE).acceptOnly({ tfs_z: [1], penalize_newline: [true] });
  options.refuseOthers();
  // -2 fills the context, as -1 does here.
  return { ...read, ...(read.maxTokens === -2 && { maxTokens: Infinity }) };
}

/** `format`: "json" or a JSON Schema. */
export function readOllamaFormat(fields: Fields): ResponseFormat | undefined {
  fields.names.set("responseFormat", "format");
  const format = fields.take("format");
  if (format === undefined || format === "") return undefined;
  if (format === "json") return { type: "json" };
  if (typeof format === "string") throw fields.wrong("format", '"json" or a JSON Schema');
  return { type: "json_schema", schema: checkSchema(fields, "format") };
}

/** `logprobs` and `top_logprobs`: the number of alternatives, or undefined. */
export function readOllamaLogprobs(fields: Fields): number | undefined {
  const isWanted = fields.flag("logprobs");
  const top = fields.integer("top_logprobs", 0, MOST_ALTERNATIVES);
  return isWanted ? (top ?? 0) : undefined;
}
