/** Errors as one line, with the command line's names of options. */
import type { Command } from "commander";
import { PlmError, reasonOf } from "../errors.js";

/** Options whose flag is not the library's name in kebab-case. */
const FLAGS: Readonly<Record<string, string>> = {
  contextLength: "context",
  cacheType: "cache",
  batchSize: "batch",
  source: "model",
};

/** An error as one line; the library's option that it names becomes the command's flag. */
export function describeError(error: unknown, command?: Command): string {
  const { errors } = (error as { cause?: { errors?: unknown } } | undefined)?.cause ?? {};
  if (Array.isArray(errors)) return errors.map((each) => describeError(each, command)).join("; ");
  const message = reasonOf(error);
  const argument = PlmError.from(error)?.argument;
  if (argument === undefined) return onOneLine(message);
  const flag = command && flagOf(command, FLAGS[argument] ?? argument);
  const isNamed = flag !== undefined && message.startsWith(argument);
  return onOneLine(isNamed ? flag + message.slice(argument.length) : message);
}

/** The long flag of the command's option of that name in camelCase. */
function flagOf(command: Command, name: string): string | undefined {
  return command.options.find((option) => option.attributeName() === name)?.long ?? undefined;
}

/** A text without its line breaks. */
export function onOneLine(text: string): string {
  const lines = text.split(/[\r\n]/).map((line) => line.trim());
  return lines.filter((line) => line !== "").join(" ");
}
