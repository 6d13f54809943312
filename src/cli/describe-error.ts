/** Errors as one line, in the words of the command line. */
import { PlmError, reasonOf } from "../errors.js";

/** Options whose name on the command line is not the library's in kebab-case. */
const FLAGS: Readonly<Record<string, string>> = {
  contextLength: "context",
  cacheType: "cache",
  batchSize: "batch",
};

/** Options that the library names in its messages, in camelCase. */
const NAMES: readonly string[] = [
  ...["threads", "contextLength", "cacheType", "batchSize", "attention", "maxTokens"],
  ...["temperature", "topK", "topP", "minP", "typicalP", "repetitionPenalty", "repetitionWindow"],
  ...["presencePenalty", "frequencyPenalty", "logitBias", "stop", "seed", "logprobs", "layers"],
  ...["hidden", "intermediate", "heads", "kvLoraRank", "nope", "rope", "vHead", "vocab", "context"],
];

const NAMED = new RegExp(`(?<=^|; )(${NAMES.join("|")})(?=:|\\[)`, "g");

/** An error as one line; names of the library's options become those of the command line. */
export function describeError(error: unknown): string {
  const isArgument = PlmError.from(error)?.code === "INVALID_ARGUMENT";
  const reason = reasonOf(error);
  const message = isArgument ? reason.replace(NAMED, toFlag) : reason;
  return message.replace(/\s*\n\s*/g, " ").trim();
}

function toFlag(name: string): string {
  return `--${FLAGS[name] ?? name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
