/** `plm chat`: a conversation in the terminal. */
import { createInterface, type Interface } from "node:readline/promises";
import type { Command } from "commander";
import { PlmError, quote } from "../../errors.js";
import type { Conversation } from "../../generation/conversation.js";
import type { Generation } from "../../generation/generation.js";
import type { Model } from "../../generation/model.js";
import { checkKwargs } from "../../tokenizer/chat.js";
import { describeError } from "../describe-error.js";
import { inputLines } from "../input.js";
import { type EndingSignal, exitCodeOfSignal, Interrupted, withInterrupt } from "../interrupt.js";
import { addModelOptions, type ModelFlags, openModel } from "../options.js";
import { note, showNotes, write, writeLine } from "../output.js";
import { jsonObject } from "../parse.js";
import {
  addSamplingOptions,
  checkGenerateOptions,
  type SamplingFlags,
  toGenerateOptions,
} from "../sampling-options.js";
import { SessionFile } from "../session-file.js";

interface ChatFlags extends ModelFlags, SamplingFlags {
  readonly system?: string;
  readonly session?: string;
  readonly chatTemplateKwargs?: Record<string, unknown>;
}

const DEFAULT_MAX_TOKENS = 512;

export function addChat(program: Command): void {
  const command = program
    .command("chat")
    .summary("a conversation in the terminal")
    .description(
      "Answers line by line with the model's chat template. /reset starts anew, /exit or Ctrl-D " +
        "leaves; Ctrl-C stops an answer, and leaves when there is none to stop.",
    )
    .option("--system <text>", "the system message")
    .option(
      "--session <file>",
      "go on with the conversation in this file, if it exists; keeps it there after every answer",
    )
    .option("--special", "show special tokens such as <|im_start|> that the model writes")
    .option(
      "--chat-template-kwargs <json>",
      'variables for the chat template, such as {"enable_thinking": false}',
      jsonObject("chat-template-kwargs"),
    );
  addSamplingOptions(command, DEFAULT_MAX_TOKENS);
  addModelOptions(command)
    .addHelpText("after", "\nExample:\n  plm chat --max-tokens 100")
    .action(run);
}

async function run(flags: ChatFlags): Promise<void> {
  const options = toGenerateOptions(flags);
  checkKwargs(flags.chatTemplateKwargs);
  await checkGenerateOptions(options, flags.model);
  const path = flags.session;
  const file = path === undefined ? undefined : await SessionFile.open(path, "conversation");
  const conversation = await withInterrupt(async (signal) => {
    return openConversation(await openModel(flags, signal), flags, file, signal);
  });
  if (process.stdin.isTTY) note("/reset starts anew, /exit leaves, Ctrl-C stops an answer");
  showNotes();
  const terminal = new Terminal();
  /** Whether the file is the conversation as it is. */
  let isKept = true;
  const keep = async (): Promise<void> => {
    isKept = false;
    await file?.write(() => conversation.saveStream());
    isKept = true;
  };
  try {
    for await (const line of terminal.lines()) {
      if (line === "/exit") break;
      if (line === "/reset") conversation.reset();
      else if (line.trim() === "") continue;
      else await terminal.answer((signal) => conversation.ask(line, { ...options, signal }));
      await terminal.attempt(keep);
    }
    if (!isKept) await keep();
  } finally {
    terminal.close();
  }
}

/** A new conversation, or the file's, whose system message is that of --system if there is one. */
async function openConversation(
  model: Model,
  { system, chatTemplateKwargs }: ChatFlags,
  file: SessionFile | undefined,
  signal: AbortSignal,
): Promise<Conversation> {
  if (file?.length === undefined) return model.createConversation({ system, chatTemplateKwargs });
  const options = { chatTemplateKwargs, signal };
  const conversation = await file.restore((source) => model.restoreConversation(source, options));
  const { messages } = conversation;
  const kept = messages[0]?.role === "system" ? messages[0].content : undefined;
  if (system !== undefined && system !== kept) {
    const expected = typeof kept === "string" ? quote(kept) : "none";
    const message = `--system: expected ${expected}, as in the session, got ${quote(system)}`;
    throw new PlmError("INVALID_ARGUMENT", message);
  }
  if (process.stdin.isTTY) note(`the conversation goes on after ${messages.length} messages`);
  return conversation;
}

/** The error with what the command line has against it. */
function advised(error: unknown): unknown {
  const full = PlmError.from(error);
  if (full?.code !== "CONTEXT_FULL") return error;
  const advice = "/reset starts anew, --context gives more where the model has it";
  return new PlmError(full.code, `${full.message}; ${advice}`, { cause: error });
}

/** Lines in, answers out, and Ctrl-C. */
class Terminal {
  readonly #isInteractive = process.stdin.isTTY === true;
  readonly #readline: Interface | undefined;
  /** Aborts the answer that is being given. */
  #answering: AbortController | undefined;
  #hasInterrupted = false;
  #isClosed = false;
  readonly #interrupt = (): void => this.#onInterrupt();
  readonly #end = (signal: NodeJS.Signals): void => this.#onEnd(signal as EndingSignal);

  constructor() {
    process.on("SIGINT", this.#interrupt);
    process.on("SIGTERM", this.#end);
    process.on("SIGHUP", this.#end);
    if (!this.#isInteractive) return;
    const [input, output] = [process.stdin, process.stdout];
    this.#readline = createInterface({ input, output, terminal: true, prompt: "> " });
    this.#readline.on("SIGINT", this.#interrupt);
    this.#readline.on("close", () => {
      this.#isClosed = true;
    });
  }

  /** The lines that are typed; asks for each on a terminal. */
  async *lines(): AsyncGenerator<string, void> {
    this.#prompt();
    for await (const line of this.#readline ?? inputLines()) {
      this.#hasInterrupted = false;
      yield line;
      this.#prompt();
    }
    if (this.#isInteractive) await writeLine();
  }

  /** Prints an answer and a newline. */
  async answer(ask: (signal: AbortSignal) => Generation): Promise<void> {
    this.#answering = new AbortController();
    const { signal } = this.#answering;
    await this.attempt(async () => {
      try {
        for await (const piece of ask(signal)) await write(piece);
      } catch (cause) {
        if (cause !== signal.reason) throw advised(cause);
      } finally {
        this.#answering = undefined;
      }
    });
    await writeLine();
  }

  /** Does some work. On a terminal, an error does not end the conversation. */
  async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Shows the error on a terminal, throws it elsewhere. */
  #fail(error: unknown): void {
    if (!this.#isInteractive) throw error;
    process.stderr.write(`plm: ${describeError(error)}\n`);
  }

  close(): void {
    process.off("SIGINT", this.#interrupt);
    process.off("SIGTERM", this.#end);
    process.off("SIGHUP", this.#end);
    this.#readline?.close();
  }

  #prompt(): void {
    if (!this.#isClosed) this.#readline?.prompt();
  }

  /** Leaves at once, with the terminal as it was before. */
  #onEnd(signal: EndingSignal): void {
    this.close();
    process.exit(exitCodeOfSignal(signal));
  }

  /** Stops the answer, or leaves: at once if it is not on a terminal, else the second time. */
  #onInterrupt(): void {
    if (this.#answering !== undefined && !this.#answering.signal.aborted) {
      this.#answering.abort(new Interrupted("SIGINT"));
      this.#hasInterrupted = true;
    } else if (this.#hasInterrupted || !this.#isInteractive) {
      this.#onEnd("SIGINT");
    } else {
      this.#hasInterrupted = true;
      process.stdout.write("\n(Ctrl-C again leaves)\n");
      this.#prompt();
    }
  }
}
