/** What is typed and pasted, on its way from the terminal to readline. */
import { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import type { ReadStream } from "node:tty";

/** What a terminal sends around a paste once PASTES_ON was sent to it. */
const PASTE_BEGINS = "\u001b[200~";
const PASTE_ENDS = "\u001b[201~";

/** Make a terminal mark pastes, and stop it. */
export const PASTES_ON = "\u001b[?2004h";
export const PASTES_OFF = "\u001b[?2004l";

const CTRL_C = "\u0003";

/** Line separators of Unicode: some versions of readline take them for the return key. */
const SEPARATORS = "\u2028\u2029";

/** The next thing to pass on: a key that ends a line, separators, or text without these. */
const UNIT = new RegExp(`[\\r\\n]|[${SEPARATORS}]+|[^\\r\\n${SEPARATORS}]+`, "g");

export interface KeyHandlers {
  /** Text to insert as it is; its line ends are line feeds. */
  onPaste(text: string): void;
  /** Ctrl-C, while keys are held. */
  onInterrupt(): void;
}

/**
 * A stream for readline that passes keys on as they come, except pastes. While it is held, keys
 * wait; Ctrl-C is reported then, and drops them. A paste whose end is missing ends at Ctrl-C.
 */
export class Keys extends Readable {
  readonly isTTY = true;
  readonly #terminal: ReadStream;
  readonly #handlers: KeyHandlers;
  readonly #decoder = new StringDecoder("utf8");
  readonly #onData = (chunk: Buffer): void => this.#take(this.#decoder.write(chunk));
  readonly #onEnd = (): boolean => this.emit("end");
  #isHeld = true;
  /** What came while keys were held. */
  #held = "";
  /** How much of PASTE_BEGINS the last characters are. */
  #matched = 0;
  /** What has been pasted of an unfinished paste. */
  #paste: string | undefined;

  constructor(terminal: ReadStream, handlers: KeyHandlers) {
    super();
    this.#terminal = terminal;
    this.#handlers = handlers;
    terminal.on("data", this.#onData);
    terminal.on("end", this.#onEnd);
  }

  override _read(): void {}

  setRawMode(isRaw: boolean): this {
    this.#terminal.setRawMode(isRaw);
    return this;
  }

  /** Keeps keys until `release`. */
  hold(): void {
    this.#isHeld = true;
  }

  /** Passes on what was held, and what comes, until `hold`. */
  release(): void {
    this.#isHeld = false;
    const held = this.#held;
    this.#held = "";
    this.#take(held);
  }

  /** Passes text on as if it had been typed. */
  type(text: string): void {
    this.emit("data", text);
  }

  /** Leaves the terminal alone. */
  end(): void {
    this.#terminal.off("data", this.#onData);
    this.#terminal.off("end", this.#onEnd);
    this.#terminal.pause();
  }

  #take(text: string): void {
    let rest = text;
    while (rest !== "") {
      if (this.#isHeld) {
        this.#hold(rest);
        return;
      }
      rest = this.#paste === undefined ? this.#takeKeys(rest) : this.#takePaste(rest);
    }
  }

  #hold(text: string): void {
    const last = text.lastIndexOf(CTRL_C);
    if (last === -1) {
      this.#held += text;
    } else {
      this.#held = text.slice(last + 1);
      this.#paste = undefined;
      this.#handlers.onInterrupt();
    }
  }

  /** Passes keys on up to the beginning of a paste or the end of a line; returns the rest. */
  #takeKeys(text: string): string {
    let end = 0;
    while (end < text.length && this.#paste === undefined) {
      const character = text[end++];
      if (character === PASTE_BEGINS[this.#matched]) this.#matched++;
      else this.#matched = character === PASTE_BEGINS[0] ? 1 : 0;
      if (this.#matched === PASTE_BEGINS.length) this.#paste = "";
      if (character === "\r" || character === "\n") break;
    }
    if (this.#paste !== undefined) this.#matched = 0;
    for (const [unit] of text.slice(0, end).matchAll(UNIT)) {
      if (SEPARATORS.includes(unit[0])) this.#handlers.onPaste(unit);
      else this.type(unit);
    }
    return text.slice(end);
  }

  /** Gathers a paste up to its end; returns what follows. */
  #takePaste(text: string): string {
    const paste = `${this.#paste}${text}`;
    const interrupt = paste.indexOf(CTRL_C);
    const end = paste.indexOf(PASTE_ENDS);
    if (interrupt !== -1 && (end === -1 || interrupt < end)) {
      this.#paste = undefined;
      return paste.slice(interrupt);
    }
    if (end === -1) {
      this.#paste = paste;
      return "";
    }
    this.#paste = undefined;
    this.#handlers.onPaste(printable(paste.slice(0, end)));
    return paste.slice(end + PASTE_ENDS.length);
  }
}

/** Text with line feeds as line ends, without other control characters, which a terminal obeys. */
function printable(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(/[^\P{Cc}\n\t]/gu, "");
}
