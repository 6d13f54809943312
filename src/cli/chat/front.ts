/** Messages in, answers out: on a terminal, or as plain lines. */
import { describeError } from "../describe-error.js";
import { inputLines } from "../input.js";
import { type EndingSignal, exitCodeOfSignal, Interrupted } from "../interrupt.js";
import { showError, write, writeLine } from "../output.js";
import { completeCommand } from "./commands.js";
import type { History } from "./history.js";
import { LineEditor } from "./line-editor.js";
import { joinLines } from "./message-lines.js";

/** Whether questions are typed and answers read on a terminal. */
export function isTerminal(): boolean {
  return process.stdin.isTTY === true && process.stdout.isTTY === true;
}

/** Where messages come from. */
interface MessageSource {
  /** The next message; undefined after the last. */
  next(): Promise<string | undefined>;
  close(): void;
}

/** Takes the signals of the process while it is open. */
export class Front {
  readonly #isTerminal = isTerminal();
  readonly #source: MessageSource;
  /** Aborts the answer that is being given. */
  #answering: AbortController | undefined;
  readonly #interrupt = (): void => this.#onInterrupt();
  readonly #end = (signal: NodeJS.Signals): void => this.#onEnd(signal as EndingSignal);

  constructor(history: History) {
    process.on("SIGINT", this.#interrupt);
    process.on("SIGTERM", this.#end);
    process.on("SIGHUP", this.#end);
    const { stdin: input, stdout: output } = process;
    const [complete, onInterrupt] = [completeCommand, this.#interrupt];
    this.#source = this.#isTerminal
      ? new LineEditor({ input, output, history, complete, onInterrupt })
      : plainMessages();
  }

  /** The messages; asks for each on a terminal. */
  async *messages(): AsyncGenerator<string, void> {
    for (;;) {
      const message = await this.#source.next();
      if (message === undefined) break;
      yield message;
    }
    if (this.#isTerminal) await writeLine();
  }

  /** Prints an answer and a newline; Ctrl-C stops it. */
  async answer(ask: (signal: AbortSignal) => AsyncIterable<string>): Promise<void> {
    this.#answering = new AbortController();
    const { signal } = this.#answering;
    await this.attempt(async () => {
      let hasBegun = false;
      try {
        for await (const piece of ask(signal)) {
          hasBegun = true;
          await write(piece);
        }
      } catch (cause) {
        if (cause !== signal.reason) {
          if (hasBegun) await writeLine();
          throw cause;
        }
      } finally {
        this.#answering = undefined;
      }
      await writeLine();
    });
  }

  /** Does some work. On a terminal, an error does not end the conversation. */
  async attempt(work: () => void | Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!this.#isTerminal) throw error;
      showError(describeError(error));
    }
  }

  /** Leaves the terminal as it was. */
  close(): void {
    process.off("SIGINT", this.#interrupt);
    process.off("SIGTERM", this.#end);
    process.off("SIGHUP", this.#end);
    this.#source.close();
  }

  #onEnd(signal: EndingSignal): void {
    this.close();
    process.exit(exitCodeOfSignal(signal));
  }

  /** Stops the answer; leaves if there is none, or it does not stop at once. */
  #onInterrupt(): void {
    const answering = this.#answering;
    if (answering === undefined || answering.signal.aborted) this.#onEnd("SIGINT");
    else answering.abort(new Interrupted("SIGINT"));
  }
}

/** The messages of standard input. */
function plainMessages(): MessageSource {
  const messages = joinLines(inputLines());
  return {
    next: async () => (await messages.next()).value ?? undefined,
    close: () => {},
  };
}
