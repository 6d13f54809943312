/** Flags that several commands have: each has one name, one short name and one help text. */
import { type Command, type Help, Option } from "commander";
import { QUANTIZE_CHOICES } from "../checkpoint/open-model.js";
import { integer, number } from "./parse.js";

/** `--json`; `fields` are those of the object, such as "{ids}". */
export function addJson(command: Command, fields: string): Command {
  return command.option("--json", `print one JSON object instead: ${fields}`);
}

/** `--file`, the text of commands that also take it from standard input. */
export function addFile(command: Command): Command {
  return command.option("-f, --file <file>", "a file with the text");
}

/** `--out`, the one file that a command writes. */
export function addOut(command: Command): Command {
  return command.requiredOption("-o, --out <file>", "the file to write");
}

export function addForce(command: Command): Command {
  return command.option("--force", "overwrite the file if it exists");
}

/** `--type`, of the matrices in a file that is written; required if there is no default. */
export function addType(command: Command, choices: readonly string[], fallback?: string): Command {
  const option = new Option("--type <type>", "the type of the matrices").choices(choices);
  return command.addOption(
    fallback === undefined ? option.makeOptionMandatory() : option.default(fallback),
  );
}

/** `--quantize`, of a model that is read from a Hugging Face folder. */
export function addQuantizing(command: Command): Command {
  const option = new Option("--quantize <type>", "what the matrices of a folder become");
  return command.addOption(option.choices(QUANTIZE_CHOICES).default(undefined, "none"));
}

/** `--special`, in both directions. */
export function addSpecial(command: Command): Command {
  return command.option(
    "--special",
    "parse special tokens such as <|im_start|> in the text, and show those that the model writes",
  );
}

/** `--seed`; without a `fallback` each run has its own. */
export function addSeed(command: Command, fallback?: number): Command {
  const option = new Option("-s, --seed <n>", "same seed, same result");
  const parse = fallback === undefined ? number("seed") : integer("seed", 0);
  const random = fallback === undefined ? "random" : undefined;
  return command.addOption(option.argParser(parse).default(fallback, random));
}

/** `--threads`; `fallback` says in words how many there are without it. */
export function addThreads(command: Command, fallback: string): Command {
  const option = new Option("-t, --threads <n>", "threads that compute");
  return command.addOption(option.argParser(integer("threads", 1)).default(undefined, fallback));
}

/** The least and the default of --context: a number, or in words where it follows from others. */
export interface ContextDefaults {
  readonly least?: number;
  readonly fallback: number | string;
}

/** `--context`, also as `--ctx`, its name in tools of llama.cpp. */
export function addContext(command: Command, { least = 1, fallback }: ContextDefaults): Command {
  const parse = integer("context", least);
  const option = new Option("-c, --context <n>", "most tokens of a sequence").argParser(parse);
  if (typeof fallback === "number") option.default(fallback);
  else option.default(undefined, fallback);
  return command
    .addOption(option)
    .addOption(new Option("--ctx <n>").argParser(parse).hideHelp())
    .on("option:ctx", (text: string) => {
      command.setOptionValueWithSource("context", parse(text), "cli");
    });
}

/** `--session`, the file of what a command goes on with. */
export function addSession(command: Command): Command {
  return command.option(
    "--session <file>",
    "go on from what this file holds, if it exists, and keep it there",
  );
}

/** An option's line in the help: what it does, its choices, and its default once. */
export const describeOption: Help["optionDescription"] = (option) => {
  const { description, argChoices, defaultValue, defaultValueDescription } = option;
  const choices = argChoices === undefined ? "" : `: ${argChoices.join(", ")}`;
  const fallback = defaultValueDescription ?? defaultValue;
  return `${description}${choices}${fallback === undefined ? "" : ` (default: ${fallback})`}`;
};
