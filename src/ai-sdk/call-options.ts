/** The options of an AI SDK call as those of a chat. */
import type { ChatGenerateOptions } from "../generation/chat.js";
import type { FunctionTool, ToolChoice } from "../generation/tool-calls/tools.js";
import type { CallOptions, CallTool, CallToolChoice, Warning } from "./specification.js";

/** Options that the AI SDK has names for. */
type NamedOption =
  | ("maxTokens" | "temperature" | "stop" | "topP" | "topK" | "presencePenalty")
  | ("frequencyPenalty" | "seed" | "signal" | "tools" | "toolChoice" | "addGenerationPrompt");

/** Options of a chat that it has none for: what `providerOptions.plm` may have. */
export type PlmProviderOptions = Omit<ChatGenerateOptions, NamedOption>;

const PLM_OPTIONS: readonly (keyof PlmProviderOptions)[] = [
  "minP",
  "typicalP",
  "topNSigma",
  "xtcProbability",
  "xtcThreshold",
  "dynatempRange",
  "dynatempExponent",
  "mirostat",
  "mirostatTau",
  "mirostatEta",
  "samplers",
  "repetitionPenalty",
  "repetitionWindow",
  "dryMultiplier",
  "dryBase",
  "dryAllowedLength",
  "dryWindow",
  "drySequenceBreakers",
  "logitBias",
  "logprobs",
  "responseFormat",
  "ignoreEos",
  "special",
  "parallelToolCalls",
  "chatTemplate",
  "documents",
  "chatTemplateKwargs",
];

/** The options of a chat; adds a warning for each that cannot be followed. */
export function chatOptionsOf(options: CallOptions, warnings: Warning[]): ChatGenerateOptions {
  const { reasoning, responseFormat } = options;
  if (reasoning !== undefined && !["provider-default", "none"].includes(reasoning)) {
    warnings.push({ type: "unsupported", feature: "reasoning" });
  }
  const tools = toolsOf(options.tools ?? [], warnings);
  const given: ChatGenerateOptions = {
    maxTokens: options.maxOutputTokens,
    temperature: options.temperature,
    stop: options.stopSequences,
    topP: options.topP,
    topK: options.topK,
    presencePenalty: options.presencePenalty,
    frequencyPenalty: options.frequencyPenalty,
    seed: options.seed,
    signal: options.abortSignal,
    ...plmOptions(options.providerOptions?.plm ?? {}, warnings),
    ...(tools.length > 0 && { tools, toolChoice: choiceOf(options.toolChoice) }),
  };
  if (responseFormat?.type === "json") {
    const { schema } = responseFormat;
    given.responseFormat =
      schema === undefined ? { type: "json" } : { type: "json_schema", schema };
  }
  const isGiven = ([, value]: [string, unknown]): boolean => value !== undefined && value !== null;
  return Object.fromEntries(Object.entries(given).filter(isGiven));
}

function plmOptions(given: object, warnings: Warning[]): PlmProviderOptions {
  const known = Object.entries(given).filter(([name]) => {
    const isKnown = (PLM_OPTIONS as readonly string[]).includes(name);
    if (!isKnown) warnings.push({ type: "unsupported", feature: `providerOptions.plm.${name}` });
    return isKnown;
  });
  return Object.fromEntries(known);
}

function toolsOf(tools: readonly CallTool[], warnings: Warning[]): FunctionTool[] {
  return tools.flatMap((tool): FunctionTool[] => {
    const { type, name, description, inputSchema, inputExamples } = tool;
    if (type !== "function") {
      warnings.push({ type: "unsupported", feature: `provider-defined tool ${tool.id ?? name}` });
      return [];
    }
    if (inputExamples !== undefined) {
      warnings.push({ type: "unsupported", feature: `inputExamples of the tool ${name}` });
    }
    const parameters = typeof inputSchema === "object" ? inputSchema : undefined;
    return [{ type, function: { name, description, parameters } }];
  });
}

function choiceOf(choice: CallToolChoice = { type: "auto" }): ToolChoice {
  return choice.type === "tool" ? { name: choice.toolName } : choice.type;
}
