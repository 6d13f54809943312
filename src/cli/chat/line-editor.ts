/** Messages that are typed on a terminal: editing, history, several lines, pastes. */
import { createInterface, type Interface } from "node:readline";
import type { ReadStream, WriteStream } from "node:tty";
import { styled } from "../colours.js";
import type { History } from "./history.js";
import { MOST_LINES } from "./history.js";
import { Keys, PASTES_OFF, PASTES_ON } from "./keys.js";
import { MessageLines } from "./message-lines.js";

export interface LineEditorOptions {
  readonly input: ReadStream;
  readonly output: WriteStream;
  readonly history: History;
  /** What a line may become, for the tab key. */
  readonly complete: (line: string) => readonly string[];
  /** Ctrl-C while no message is asked for. */
  readonly onInterrupt: () => void;
}

/** Parts of readline's interface that may be written, which its types do not say. */
interface Editable {
  line: string;
  cursor: number;
}

/** One reader at a time asks for messages; what is typed meanwhile waits for the next. */
export class LineEditor {
  readonly #keys: Keys;
  readonly #readline: Interface;
  readonly #output: WriteStream;
  readonly #lines = new MessageLines();
  readonly #marksPastes = process.env.TERM !== "dumb";
  readonly #restore = (): void => void this.#output.write(PASTES_OFF);
  #answer: ((message: string | undefined) => void) | undefined;
  #isClosed = false;

  constructor({ input, output, history, complete, onInterrupt }: LineEditorOptions) {
    this.#output = output;
    this.#keys = new Keys(input, { onPaste: (text) => this.#insert(text), onInterrupt });
    this.#readline = createInterface({
      input: this.#keys,
      output,
      terminal: true,
      history: [...history.lines],
      historySize: MOST_LINES,
      completer: (line: string) => [complete(line), line],
    });
    this.#readline.on("line", (line) => {
      history.add(line);
      this.#onLine(line);
    });
    this.#readline.on("SIGINT", () => this.#onInterrupt());
    this.#readline.on("close", () => {
      this.#isClosed = true;
      this.#resolve(this.#lines.end());
    });
    if (!this.#marksPastes) return;
    output.write(PASTES_ON);
    process.once("exit", this.#restore);
  }

  /** Asks for a message; undefined when there are no more. */
  next(): Promise<string | undefined> {
    if (this.#isClosed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#answer = resolve;
      this.#prompt();
      this.#keys.release();
    });
  }

  /** Leaves the terminal as it was. */
  close(): void {
    this.#readline.close();
    this.#keys.end();
    if (!this.#marksPastes) return;
    this.#restore();
    process.off("exit", this.#restore);
  }

  #prompt(): void {
    const prompt = this.#lines.isUnfinished ? "... " : "> ";
    this.#readline.setPrompt(styled("cyan", prompt, this.#output));
    this.#readline.prompt();
  }

  #onLine(line: string): void {
    const message = this.#lines.push(line);
    if (message === undefined) this.#prompt();
    else this.#resolve(message);
  }

  #resolve(message: string | undefined): void {
    this.#keys.hold();
    this.#answer?.(message);
    this.#answer = undefined;
  }

  /** Ctrl-C: forgets what is typed, or leaves if nothing is. */
  #onInterrupt(): void {
    if (this.#readline.line === "" && !this.#lines.isUnfinished) {
      this.#readline.close();
      return;
    }
    this.#edit("", 0);
    if (!this.#lines.isUnfinished) return;
    this.#lines.clear();
    this.#output.write("\n");
    this.#prompt();
  }

  /** Inserts a paste: what one would type, with the key that goes on in the next line. */
  #insert(text: string): void {
    const { line, cursor } = this.#readline;
    const lines = text.replace(/\n$/, "").split("\n");
    lines[0] = line.slice(0, cursor) + lines[0];
    const last = lines.pop()!;
    for (const each of lines) {
      this.#edit(`${each}\\`);
      this.#keys.type("\r");
    }
    this.#edit(last + line.slice(cursor), last.length);
  }

  /** Replaces the line. */
  #edit(line: string, cursor: number = line.length): void {
    const editable = this.#readline as Editable;
    editable.line = line;
    editable.cursor = cursor;
    this.#readline.prompt(true);
  }
}
