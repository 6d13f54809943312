/** Ollama's `GET /api/tags`, `/api/ps`, `/api/version` and `POST /api/show`. */
import { VERSION } from "../../platform/thread-message.js";
import type { AnswerContext } from "../answer.js";
import type { Fields } from "../fields.js";
import { describeModel, shortCount } from "../model-facts.js";
import type { Reply } from "../reply.js";
import type { Serving } from "../serving.js";
import { readHead } from "./options.js";

export function tags({ serving }: AnswerContext): Reply {
  const modified_at = new Date(serving.started).toISOString();
  return { body: { models: [{ ...headOf(serving), modified_at }] } };
}

export function ps({ serving }: AnswerContext): Reply {
  const { contextLength: context_length } = serving.model.plan.options;
  // It stays loaded.
  const expires_at = "9999-12-31T23:59:59Z";
  return { body: { models: [{ ...headOf(serving), expires_at, size_vram: 0, context_length }] } };
}

export function version(): Reply {
  return { body: { version: VERSION } };
}

export function show(fields: Fields, { serving }: AnswerContext): Reply {
  readHead(fields, serving);
  fields
    .accept("verbose")
    .acceptOnly({ system: [""], template: [""] })
    .refuseOthers();
  const { model } = serving;
  const { chatTemplate: template = "" } = model.tokenizer;
  const { config } = model;
  return {
    body: {
      modelfile: "",
      parameters: "",
      template,
      details: detailsOf(serving),
      model_info: {
        "general.architecture": "plm",
        "general.parameter_count": describeModel(model).parameters,
        "plm.block_count": config.numHiddenLayers,
        "plm.context_length": config.maxPositionEmbeddings,
        "plm.embedding_length": config.hiddenSize,
        "plm.feed_forward_length": config.intermediateSize,
        "plm.attention.head_count": config.numAttentionHeads,
        "plm.attention.kv_lora_rank": config.kvLoraRank,
        "plm.vocab_size": config.vocabSize,
      },
      capabilities: ["completion", "tools", "embedding"],
      modified_at: new Date(serving.started).toISOString(),
    },
  };
}

function headOf(serving: Serving): object {
  const { modelName: name, model } = serving;
  const { bytes: size } = describeModel(model);
  return { name, model: name, size, digest: "", details: detailsOf(serving) };
}

function detailsOf({ model }: Serving): object {
  const { parameters, quantization } = describeModel(model);
  return {
    ...{ parent_model: "", format: "gguf", family: "plm", families: ["plm"] },
    ...{ parameter_size: shortCount(parameters), quantization_level: quantization },
  };
}
