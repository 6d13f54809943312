/** Calls of the AI SDK's language model, as tests make them. */
import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4StreamPart,
} from "@ai-sdk/provider";
import { createPlm } from "../../../src/ai-sdk/index.js";
import type { Speaker } from "./speaker.js";

export const PROMPT: LanguageModelV4CallOptions["prompt"] = [
  { role: "system", content: "Be kind." },
  {
    role: "user",
    content: [
      { type: "text", text: "H" },
      { type: "text", text: "i" },
    ],
  },
];

/** The speaker as a model whose ids and times are known. */
export function modelOf({ model }: Speaker): LanguageModelV4 {
  return createPlm({ model, generateId: () => "plm_1", now: () => 5 })("mine");
}

/** The parts of a stream; ids of calls become "call". */
export async function partsOf(
  model: LanguageModelV4,
  options: LanguageModelV4CallOptions,
): Promise<LanguageModelV4StreamPart[]> {
  const { stream } = await model.doStream(options);
  const parts: LanguageModelV4StreamPart[] = [];
  for await (const part of stream) {
    parts.push(JSON.parse(JSON.stringify(part).replaceAll(/call_\w{24}/g, "call")));
  }
  return parts;
}
