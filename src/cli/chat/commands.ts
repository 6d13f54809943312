/** The commands of `plm chat`: lines that begin with a slash and a word. */
import { PlmError, quote } from "../../errors.js";
import { formatTable } from "../output.js";

/** A command; `argument` in brackets may be left out. */
interface ChatCommand {
  readonly argument?: string;
  readonly help: string;
}

/** The name of a command, with its slash. */
export type ChatCommandName =
  | "/reset"
  | "/retry"
  | "/system"
  | "/save"
  | "/stats"
  | "/help"
  | "/exit";

const COMMANDS: Readonly<Record<ChatCommandName, ChatCommand>> = {
  "/reset": { help: "begin a new conversation, with the same system prompt" },
  "/retry": { help: "answer the last question again, with another seed" },
  "/system": {
    argument: "[TEXT]",
    help: "set the system prompt and begin a new conversation; without TEXT, show it",
  },
  "/save": { argument: "FILE", help: "write the conversation to a file for --session" },
  "/stats": { help: "speed and cached tokens of the last answer, and how full the context is" },
  "/help": { help: "show this" },
  "/exit": { help: "leave, as Ctrl-D does" },
};

/** The names of all commands. */
const COMMAND_NAMES = Object.keys(COMMANDS) as ChatCommandName[];

const KEYS: readonly [keys: string, help: string][] = [
  ["\\ at a line's end", "the message goes on in the next line, as pasted lines do"],
  ["Ctrl-C", "stop an answer, clear a line; leave at an empty one"],
];

/** What `/help` shows. */
export function describeCommands(): string {
  const rows = COMMAND_NAMES.map((name): [string, string] => {
    const { argument, help } = COMMANDS[name];
    return [argument === undefined ? name : `${name} ${argument}`, help];
  });
  return formatTable([...rows, ...KEYS]);
}

/** A command that was typed; `argument` is not empty. */
export interface TypedCommand {
  readonly name: ChatCommandName;
  readonly argument: string | undefined;
}

/**
 * The command in a message; undefined for other messages, such as one that begins with a path.
 * Throws INVALID_ARGUMENT for a command that is not known, lacks its argument or has none.
 */
export function parseCommand(message: string): TypedCommand | undefined {
  const [, word, rest = ""] = /^(\/[a-z]+)(?:\s+(.*))?$/is.exec(message) ?? [];
  if (word === undefined) return undefined;
  const name = COMMAND_NAMES.find((each) => each === word);
  if (name === undefined) throw invalid(`expected ${COMMAND_NAMES.join(", ")}, got ${word}`);
  const { argument: expected } = COMMANDS[name];
  const argument = rest.trim() === "" ? undefined : rest.trim();
  if (expected === undefined && argument !== undefined) {
    throw invalid(`${name}: expected nothing behind it, got ${quote(argument)}`);
  }
  if (argument === undefined && expected?.startsWith("[") === false) {
    throw invalid(`${name}: expected ${expected}, got nothing`);
  }
  return { name, argument };
}

/** The names that a line may become, for the tab key. */
export function completeCommand(line: string): ChatCommandName[] {
  return line.startsWith("/") ? COMMAND_NAMES.filter((name) => name.startsWith(line)) : [];
}

function invalid(message: string): PlmError {
  return new PlmError("INVALID_ARGUMENT", message);
}
