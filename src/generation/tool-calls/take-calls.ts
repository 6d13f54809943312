/** Takes calls of tools out of a generation's text. */
import type { GenerationRecord } from "../generation.js";
import type { ToolCallEvent } from "./call-reader.js";
import { ToolCallParser } from "./parser.js";

/** The pieces without calls, which the record gets. */
export async function* takeCalls(
  pieces: AsyncIterable<string>,
  record: GenerationRecord,
): AsyncGenerator<string, void> {
  const parser = new ToolCallParser();
  const calls: GenerationRecord["toolCalls"] = [];
  record.toolCalls = calls;
  let text = "";
  const take = (events: readonly ToolCallEvent[]): string => {
    const before = text.length;
    for (const event of events) {
      if (event.type === "text") text += event.text;
      if (event.type === "call") calls.push(event.call);
    }
    // The loop has appended its piece.
    record.text = text;
    return text.slice(before);
  };
  for await (const piece of pieces) {
    const shown = take(parser.push(piece));
    if (shown !== "") yield shown;
  }
  const last = take(parser.end());
  if (last !== "") yield last;
}
