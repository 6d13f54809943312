/** `GET /v1/models` and `/v1/models/:id`. */
import type { AnswerContext } from "../answer.js";
import { describeModel } from "../model-facts.js";
import type { Reply } from "../reply.js";
import type { Serving } from "../serving.js";

export function listModels({ serving }: AnswerContext): Reply {
  return { body: { object: "list", data: [modelObject(serving)] } };
}

export function retrieveModel({ serving }: AnswerContext, id: string): Reply {
  serving.checkModel(id);
  return { body: modelObject(serving) };
}

function modelObject({ model, modelName, started }: Serving): object {
  const { parameters, bytes } = describeModel(model);
  const { vocabSize, hiddenSize, maxPositionEmbeddings } = model.config;
  return {
    id: modelName,
    object: "model",
    created: Math.floor(started / 1000),
    owned_by: "plm-wasm",
    // As llama-server has it.
    meta: {
      n_vocab: vocabSize,
      n_ctx: model.plan.options.contextLength,
      n_ctx_train: maxPositionEmbeddings,
      n_embd: hiddenSize,
      n_params: parameters,
      size: bytes,
    },
  };
}
