/** Fields that change nothing about an answer, and those of its transport. */
import { MOST_SESSION_ID } from "../../generation/session-store.js";
import type { Fields } from "../fields.js";

/** Accepts fields that clients send and that do not change the answer. */
export function acceptHarmless(fields: Fields): void {
  fields
    .accept("user", "metadata", "store", "service_tier", "safety_identifier", "prediction")
    .accept("prompt_cache_retention", "prompt_cache_options")
    // llama-server's: where a prompt is kept, and what more is reported.
    .accept("cache_prompt", "id_slot", "timings_per_token", "return_progress", "n_keep")
    .acceptOnly({
      modalities: [["text"]],
      verbosity: ["medium"],
      reasoning_effort: ["none"],
      reasoning_format: ["none", "auto", "deepseek"],
      best_of: [1],
      min_keep: [0],
      return_tokens: [false],
      post_sampling_probs: [false],
      parse_tool_calls: [true],
    });
}

/**
 * `prompt_cache_key`: the name of the session that a request with one answer goes on with, where
 * sessions are kept; elsewhere it changes nothing.
 */
export function readSessionId(fields: Fields, answers: number): string | undefined {
  const id = fields.text("prompt_cache_key");
  if (id !== undefined && id.length > MOST_SESSION_ID) {
    throw fields.wrong("prompt_cache_key", `at most ${MOST_SESSION_ID} characters`);
  }
  return answers > 1 || id === "" ? undefined : id;
}

/** `stream` and `stream_options`. */
export function readStreaming(fields: Fields): { stream: boolean; hasUsage: boolean } {
  const stream = fields.flag("stream");
  const options = fields.fields("stream_options");
  const hasUsage = options?.flag("include_usage") ?? false;
  options?.accept("include_obfuscation").refuseOthers();
  return { stream, hasUsage };
}
