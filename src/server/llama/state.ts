/** llama-server's `GET /health`, `/props` and `/metrics`. */
import { resolveOptions } from "../../generation/options.js";
import { VERSION } from "../../platform/thread-message.js";
import type { AnswerContext } from "../answer.js";
import type { Reply } from "../reply.js";

/** Open to all; also while the model is loading. */
export function health({ serving }: AnswerContext): Reply {
  const status = serving.health;
  return { body: { status }, status: status === "ok" ? 200 : 503 };
}

export function props({ serving }: AnswerContext): Reply {
  const { model, modelName } = serving;
  const { tokenizer } = model;
  const { contextLength, maxSequences } = model.plan.options;
  const { bos_token = "", eos_token = "" } = tokenizer.specialTokensMap;
  const options = resolveOptions({ seed: 0 }, tokenizer.vocabSize);
  return {
    body: {
      default_generation_settings: {
        n_ctx: contextLength,
        params: {
          temperature: options.temperature,
          top_k: options.topK,
          top_p: options.topP,
          min_p: options.minP,
          typical_p: options.typicalP,
          top_n_sigma: options.topNSigma,
          xtc_probability: options.xtcProbability,
          xtc_threshold: options.xtcThreshold,
          dynatemp_range: options.dynatempRange,
          dynatemp_exponent: options.dynatempExponent,
          repeat_last_n: options.repetitionWindow,
          repeat_penalty: options.repetitionPenalty,
          presence_penalty: options.presencePenalty,
          frequency_penalty: options.frequencyPenalty,
          dry_multiplier: options.dryMultiplier,
          dry_base: options.dryBase,
          dry_allowed_length: options.dryAllowedLength,
          dry_penalty_last_n: -1,
          mirostat: options.mirostat,
          mirostat_tau: options.mirostatTau,
          mirostat_eta: options.mirostatEta,
          max_tokens: -1,
        },
      },
      total_slots: maxSequences,
      model_alias: modelName,
      modalities: { vision: false, audio: false },
      chat_template: tokenizer.chatTemplate ?? "",
      bos_token,
      eos_token,
      build_info: `plm-wasm ${VERSION}`,
    },
  };
}

export function metrics({ serving }: AnswerContext): Reply {
  const { model, admission } = serving;
  const { running, waiting } = admission;
  const text = serving.metrics.render({
    ...{ running, waiting },
    ...{ pagesInUse: model.pagesInUse, pages: model.plan.pages.count },
  });
  return { text, contentType: "text/plain; version=0.0.4" };
}
