/** `plm chat`: a conversation in the terminal. */
import { join } from "node:path";
import type { Command } from "commander";
import { PlmError, quote } from "../../errors.js";
import type { Conversation } from "../../generation/conversation.js";
import type { Model } from "../../generation/model.js";
import { checkKwargs } from "../../tokenizer/chat.js";
import { describeCommands, parseCommand, type TypedCommand } from "../chat/commands.js";
import { Front, isTerminal } from "../chat/front.js";
import { History } from "../chat/history.js";
import { systemOf, Talk } from "../chat/talk.js";
import { styled } from "../colours.js";
import { describeError } from "../describe-error.js";
import { addSession, addSpecial } from "../flags.js";
import { withInterrupt } from "../interrupt.js";
import { addModelOptions, type ModelFlags, openModel } from "../options.js";
import { note, showNotes, writeLine } from "../output.js";
import { jsonObject } from "../parse.js";
import {
  addSamplingOptions,
  readGenerateOptions,
  type SamplingFlags,
} from "../sampling-options.js";
import { SessionFile } from "../session-file.js";
import { stateFolder } from "../state-folder.js";

interface ChatFlags extends ModelFlags, SamplingFlags {
  readonly system?: string;
  readonly session?: string;
  readonly history: boolean;
  readonly chatTemplateKwargs?: Record<string, unknown>;
}

const DEFAULT_MAX_TOKENS = 512;

/** Commands after which the conversation is what it was. */
const SHOWING: ReadonlySet<string | undefined> = new Set(["/save", "/stats", "/help", "/exit"]);

export function addChat(program: Command): void {
  const command = program
    .command("chat")
    .summary("a conversation in the terminal")
    .description(
      "Answers messages with the model's chat template. A message is a line; one that ends in a " +
        "backslash goes on in the next line, and pasted lines are one message. /help lists the " +
        "commands. Ctrl-C stops an answer and keeps what was said; at an empty line it leaves, " +
        "as Ctrl-D does. What was typed is kept for the up key, in a file for this user alone.",
    )
    .option("--system <text>", "the system prompt")
    .option("--no-history", "neither read nor keep what was typed in other conversations")
    .option(
      "--chat-template-kwargs <json>",
      'variables for the chat template, such as {"enable_thinking": false}',
      jsonObject("chat-template-kwargs"),
    );
  addSpecial(addSession(command));
  addSamplingOptions(command, DEFAULT_MAX_TOKENS);
  addModelOptions(command)
    .addHelpText("after", "\nExample:\n  plm chat --max-tokens 100")
    .action(run);
}

async function run(flags: ChatFlags): Promise<void> {
  checkKwargs(flags.chatTemplateKwargs);
  const options = await readGenerateOptions(flags);
  const path = flags.session;
  const file = path === undefined ? undefined : await SessionFile.open(path, "conversation");
  const [conversation, contextLength] = await withInterrupt(async (signal) => {
    const model = await openModel(flags, signal);
    const opened = await openConversation(model, flags, file, signal);
    return [opened, model.plan.options.contextLength] as const;
  });
  if (isTerminal()) note("/help lists the commands, Ctrl-C stops an answer, Ctrl-D leaves");
  const history = await openHistory(flags);
  showNotes();
  const front = new Front(history);
  const talk = new Talk(conversation, options, contextLength);
  /** Whether the file is the conversation as it is. */
  let isKept = true;
  const keep = async (): Promise<void> => {
    isKept = false;
    await file?.write(() => conversation.saveStream());
    isKept = true;
  };
  try {
    for await (const message of front.messages()) {
      if (message.trim() === "") continue;
      let command: TypedCommand | undefined;
      await front.attempt(async () => {
        command = parseCommand(message);
        if (command === undefined) {
          await front.answer((signal) => talk.ask(message, signal));
        } else if (command.name === "/retry") {
          await front.answer((signal) => talk.retry(signal));
        } else {
          await obey(command, talk);
        }
        if (!SHOWING.has(command?.name)) await keep();
      });
      if (command?.name === "/exit") break;
    }
    if (!isKept) await keep();
  } finally {
    front.close();
    showNotes();
  }
}

/** What was typed in other conversations, on a terminal. */
function openHistory({ history }: ChatFlags): Promise<History> {
  const folder = history && isTerminal() ? stateFolder() : undefined;
  const path = folder === undefined ? undefined : join(folder, "chat-history");
  return History.open(path, (error) => note(`what is typed is not kept: ${describeError(error)}`));
}

/** Does what a command without an answer says. */
async function obey({ name, argument }: TypedCommand, talk: Talk): Promise<void> {
  if (name === "/reset") talk.reset();
  else if (name === "/save") await talk.save(argument!);
  else if (name === "/stats") await show(talk.stats());
  else if (name === "/help") await show(describeCommands());
  else if (name === "/system" && argument !== undefined) talk.setSystem(argument);
  else if (name === "/system") await show(describeSystem(talk));
}

function describeSystem({ system }: Talk): string {
  if (system === undefined) return "no system prompt";
  return typeof system === "string" ? system : JSON.stringify(system);
}

/** Shows what a command was asked for. */
function show(text: string): Promise<void> {
  return writeLine(styled("dim", text));
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
  const kept = systemOf(messages);
  if (system !== undefined && system !== kept) {
    const expected = typeof kept === "string" ? quote(kept) : "none";
    const message = `--system: expected ${expected}, as in the session, got ${quote(system)}`;
    throw new PlmError("INVALID_ARGUMENT", message);
  }
  if (isTerminal()) note(`the conversation goes on after ${messages.length} messages`);
  return conversation;
}
