/** Finds calls of tools in a text that comes piece by piece. */
import { CALL_CLOSE, CALL_OPEN } from "./call-format.js";
import { createCallId } from "./call-id.js";
import { CallReader, type ToolCallEvent } from "./call-reader.js";

/**
 * Splits an answer into text and calls, whose tags it never shows. White space around a call
 * belongs to neither. What begins like a call but has not its form is text. A call that the end of
 * the answer cuts short is neither text nor a call: `incomplete` has it.
 */
export class ToolCallParser {
  readonly #createId: () => string;
  /** What is not shown yet: white space, and what may be the beginning of a tag. */
  #held = "";
  #reader: CallReader | undefined;
  /** Whether nothing was shown since the last call. */
  #isAfterCall = false;
  #count = 0;
  #incomplete: ToolCallParser["incomplete"];

  constructor({ createId = createCallId }: { createId?: () => string } = {}) {
    this.#createId = createId;
  }

  /** After `end`, the call that it cut short: its name and arguments as far as they came. */
  get incomplete(): { readonly name: string; readonly arguments: string } | undefined {
    return this.#incomplete;
  }

  /** Appends a piece of the answer. */
  push(piece: string): ToolCallEvent[] {
    const events: ToolCallEvent[] = [];
    let rest = piece;
    while (rest !== "") {
      rest = this.#reader ? this.#readCall(this.#reader, rest, events) : this.#read(rest, events);
    }
    return events;
  }

  /** Ends the answer. */
  end(): ToolCallEvent[] {
    this.#incomplete = this.#reader?.soFar;
    const text = this.#isAfterCall || this.#reader ? "" : this.#held;
    this.#reader = undefined;
    this.#held = "";
    return text === "" ? [] : [{ type: "text", text }];
  }

  /** Reads text up to the next call; returns what follows the call's tag. */
  #read(piece: string, events: ToolCallEvent[]): string {
    let text = this.#held + piece;
    this.#held = "";
    if (this.#isAfterCall) {
      text = text.trimStart();
      if (text.startsWith(CALL_CLOSE)) return text.slice(CALL_CLOSE.length);
      if (text !== CALL_OPEN && (CALL_CLOSE.startsWith(text) || CALL_OPEN.startsWith(text))) {
        this.#held = text;
        return "";
      }
    }
    const at = text.indexOf(CALL_OPEN);
    const shown = at < 0 ? text.slice(0, countShown(text)) : text.slice(0, at).trimEnd();
    if (shown !== "") {
      events.push({ type: "text", text: shown });
      this.#isAfterCall = false;
    }
    this.#held = text.slice(shown.length, at < 0 ? undefined : at);
    if (at < 0) return "";
    this.#reader = new CallReader(this.#count, this.#createId);
    return text.slice(at + CALL_OPEN.length);
  }

  /** Reads on in a call; returns what follows it, or its text where it is none. */
  #readCall(reader: CallReader, piece: string, events: ToolCallEvent[]): string {
    const end = reader.push(piece, events);
    if (end === undefined) return "";
    const before = this.#held;
    this.#held = "";
    this.#reader = undefined;
    if (end === "no call") {
      events.push({ type: "text", text: before + CALL_OPEN });
      this.#isAfterCall = false;
      return reader.text;
    }
    this.#count++;
    this.#isAfterCall = true;
    return end.rest;
  }
}

/** How much of a text can be shown: all but white space and the beginning of a tag at its end. */
function countShown(text: string): number {
  let length = Math.min(text.length, CALL_OPEN.length - 1);
  while (!text.endsWith(CALL_OPEN.slice(0, length))) length--;
  return text.slice(0, text.length - length).trimEnd().length;
}
