/** What can be completed: the program's own commands, options and arguments. */
import type { Argument, Command, Option } from "commander";

/** What a value may be. */
export type Value =
  | { readonly kind: "choice"; readonly choices: readonly string[] }
  | { readonly kind: "file" }
  | { readonly kind: "folder" }
  | { readonly kind: "other" };

/** An option; `value` is missing for one without. */
export interface CompletedOption {
  /** Its names, such as -o and --out. */
  readonly names: readonly string[];
  readonly help: string;
  readonly value?: Value;
}

/** A command and those below it. */
export interface CompletedCommand {
  /** The words that lead to it: none for the program, then such as ["models", "list"]. */
  readonly path: readonly string[];
  readonly help: string;
  readonly options: readonly CompletedOption[];
  /** What its arguments may be, in order. */
  readonly values: readonly Value[];
  readonly commands: readonly CompletedCommand[];
}

/** How usage lines call values that are files and folders. */
const FILES = /^(?:file|in|out|config|model|adapter)\b/i;
const FOLDERS = /^(?:folder|dir)\b/i;

/** The grammar of the program, or of a command at a path. */
export function grammarOf(command: Command, path: readonly string[] = []): CompletedCommand {
  const visible = command.createHelp();
  return {
    path,
    help: command.summary() || command.description(),
    options: visible.visibleOptions(command).map(toOption),
    values: command.registeredArguments.map((argument) => toArgument(argument, command)),
    commands: command.commands.map((each) => grammarOf(each, [...path, each.name()])),
  };
}

/** All commands of a grammar, itself first. */
export function allCommands(grammar: CompletedCommand): CompletedCommand[] {
  return [grammar, ...grammar.commands.flatMap(allCommands)];
}

function toOption(option: Option): CompletedOption {
  const { short, long, description, argChoices, flags } = option;
  const names = [short, long].filter((name) => name != null);
  if (!option.required && !option.optional) return { names, help: description };
  const value = /<(.+?)>|\[(.+?)\]/.exec(flags);
  return { names, help: description, value: toValue(value?.[1] ?? value?.[2] ?? "", argChoices) };
}

/** An argument that names a command has the names of commands as choices. */
function toArgument(argument: Argument, { parent }: Command): Value {
  const names = parent?.commands.map((command) => command.name());
  const isCommand = argument.name() === "command";
  return toValue(argument.name(), isCommand ? names : argument.argChoices);
}

function toValue(name: string, choices: readonly string[] | undefined): Value {
  if (choices !== undefined) return { kind: "choice", choices };
  return { kind: FILES.test(name) ? "file" : FOLDERS.test(name) ? "folder" : "other" };
}
