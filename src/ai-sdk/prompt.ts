/** The AI SDK's prompt as messages of a chat. */
import type { ChatMessage } from "../tokenizer/chat.js";
import { unsupportedFunctionality } from "./errors.js";
import type { PromptMessage, PromptPart, ToolOutput, Warning } from "./specification.js";

/**
 * The messages of a prompt. Reasoning is left out, with a warning; throws
 * UnsupportedFunctionalityError for files.
 */
export function messagesOf(
  prompt: readonly PromptMessage[],
  warnings: Warning[] = [],
): ChatMessage[] {
  return prompt.flatMap((message): ChatMessage[] => {
    switch (message.role) {
      case "system":
        return [{ role: "system", content: message.content }];
      case "user":
        return [{ role: "user", content: textOf(message.content, warnings) }];
      case "assistant":
        return [assistantMessage(message.content, warnings)];
      case "tool":
        return toolMessages(message.content);
      default:
        throw unsupportedFunctionality(`role ${(message as PromptMessage).role}`);
    }
  });
}

/** The text of parts. */
function textOf(parts: readonly PromptPart[], warnings: Warning[]): string {
  return parts
    .map(({ type, text, mediaType }) => {
      if (type === "text") return text ?? "";
      if (type === "reasoning" || type === "custom") {
        warnings.push({ type: "unsupported", feature: `${type} parts of the prompt` });
        return "";
      }
      throw unsupportedFunctionality(mediaType ? `file part media type ${mediaType}` : type);
    })
    .join("");
}

function assistantMessage(parts: readonly PromptPart[], warnings: Warning[]): ChatMessage {
  const isCall = ({ type }: PromptPart): boolean => type === "tool-call";
  const content = textOf(
    parts.filter((part) => !isCall(part)),
    warnings,
  );
  const calls = parts.filter(isCall).map(({ toolCallId, toolName, input }) => ({
    id: toolCallId,
    type: "function",
    function: { name: toolName, arguments: JSON.stringify(input ?? {}) },
  }));
  if (calls.length === 0) return { role: "assistant", content };
  return { role: "assistant", content, tool_calls: calls };
}

/** A message for each result; approvals have nothing for the model. */
function toolMessages(parts: readonly PromptPart[]): ChatMessage[] {
  return parts
    .filter(({ type }) => type === "tool-result")
    .map(({ toolCallId, toolName, output }) => ({
      role: "tool",
      content: textOfOutput(output!),
      tool_call_id: toolCallId,
      name: toolName,
    }));
}

/** What a tool returned, as the model reads it. */
function textOfOutput({ type, value, reason }: ToolOutput): string {
  switch (type) {
    case "text":
    case "error-text":
      return String(value);
    case "execution-denied":
      return reason ?? "The call was denied.";
    case "content":
      return textOf(value as readonly PromptPart[], []);
    default:
      return JSON.stringify(value);
  }
}
