/** Reads one call of a tool, the JSON object between its tags, piece by piece. */
import type { ToolCall } from "./tools.js";

/** What is found in a text. A call has a start, pieces of its arguments, and is then complete. */
export type ToolCallEvent =
  /** A piece of the text beside calls, not empty. */
  | { readonly type: "text"; readonly text: string }
  /** A call begins; `index` counts calls from 0. */
  | { readonly type: "start"; readonly index: number; readonly id: string; readonly name: string }
  /** A piece of its arguments, which are JSON. */
  | { readonly type: "arguments"; readonly index: number; readonly text: string }
  /** It is complete. */
  | { readonly type: "call"; readonly index: number; readonly call: ToolCall };

/** The beginning of a call, up to its arguments. */
const OPENING = /^\s*\{\s*"name"\s*:\s*("(?:[^"\\]|\\.)*")\s*,\s*"arguments"\s*:\s*(?=\S)/;

/** One call that is being read. */
export class CallReader {
  readonly #index: number;
  readonly #createId: () => string;
  /** The text so far, and how much of it was looked at. */
  #text = "";
  #scanned = 0;
  #depth = 0;
  #inString = false;
  #isEscaped = false;
  /** Its id and name, once they are known. */
  #started: { readonly id: string; readonly name: string } | undefined;
  /** Where the arguments begin, what was reported of them, and where they end. */
  #from = 0;
  #sent = 0;
  #to: number | undefined;

  constructor(index: number, createId: () => string) {
    this.#index = index;
    this.#createId = createId;
  }

  /** The text so far. */
  get text(): string {
    return this.#text;
  }

  /** The name and the arguments as far as they came. */
  get soFar(): { readonly name: string; readonly arguments: string } {
    return {
      name: this.#started?.name ?? "",
      arguments: this.#text.slice(this.#from, this.#to ?? this.#sent),
    };
  }

  /**
   * Appends a piece. Returns what follows the call if it ends in it, undefined if it goes on, and
   * "no call" for a text that is none.
   */
  push(piece: string, events: ToolCallEvent[]): { rest: string } | undefined | "no call" {
    this.#text += piece;
    if (this.#started === undefined) this.#start(OPENING.exec(this.#text), events);
    while (this.#scanned < this.#text.length) {
      const state = this.#scan(this.#text[this.#scanned++]);
      if (state === "wrong") return "no call";
      if (state === "over") return this.#finish(events);
    }
    this.#report(events);
    return undefined;
  }

  #start(opening: RegExpExecArray | null, events: ToolCallEvent[]): void {
    const name = opening === null ? undefined : parse(opening[1]);
    if (typeof name !== "string") return;
    this.#started = { id: this.#createId(), name };
    this.#from = opening![0].length;
    this.#sent = this.#from;
    events.push({ type: "start", index: this.#index, ...this.#started });
  }

  /** Looks at one character. */
  #scan(char: string): "more" | "over" | "wrong" {
    if (this.#inString) {
      if (this.#isEscaped) this.#isEscaped = false;
      else if (char === "\\") this.#isEscaped = true;
      else if (char === '"') this.#inString = false;
      return "more";
    }
    if (this.#depth === 0 && char !== "{" && char.trim() !== "") return "wrong";
    if (char === "<" && this.#started === undefined) return "wrong";
    const isClosing = char === "}" || char === "]";
    if (char === '"') this.#inString = true;
    else if (char === "{" || char === "[") this.#depth++;
    else if (isClosing) this.#depth--;
    if (this.#started !== undefined && this.#to === undefined && this.#scanned > this.#from) {
      if (isClosing && this.#depth === 1) this.#to = this.#scanned;
      else if (this.#depth === 0 || (this.#depth === 1 && char === ",")) {
        this.#to = this.#scanned - 1;
      }
    }
    return isClosing && this.#depth === 0 ? "over" : "more";
  }

  /** Reports what came of the arguments; white space at the end may follow them. */
  #report(events: ToolCallEvent[]): void {
    const end = this.#to ?? this.#text.trimEnd().length;
    if (this.#started === undefined || end <= this.#sent) return;
    const text = this.#text.slice(this.#sent, end);
    events.push({ type: "arguments", index: this.#index, text });
    this.#sent = end;
  }

  /** Reports the call; one whose keys have another order at once. */
  #finish(events: ToolCallEvent[]): { rest: string } | "no call" {
    const rest = this.#text.slice(this.#scanned);
    if (this.#started !== undefined) {
      this.#to = this.#from + this.#text.slice(this.#from, this.#to).trimEnd().length;
      this.#report(events);
      this.#complete(this.#started, this.#text.slice(this.#from, this.#to), events);
      return { rest };
    }
    const { name, arguments: args } = Object(parse(this.#text.slice(0, this.#scanned)));
    if (typeof name !== "string" || args === undefined) return "no call";
    const start = { id: this.#createId(), name };
    const text = JSON.stringify(args);
    events.push({ type: "start", index: this.#index, ...start });
    events.push({ type: "arguments", index: this.#index, text });
    this.#complete(start, text, events);
    return { rest };
  }

  #complete(
    { id, name }: { readonly id: string; readonly name: string },
    args: string,
    events: ToolCallEvent[],
  ): void {
    const call: ToolCall = { id, type: "function", function: { name, arguments: args } };
    events.push({ type: "call", index: this.#index, call });
  }
}

/** The value of a JSON text; undefined for what is none. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
