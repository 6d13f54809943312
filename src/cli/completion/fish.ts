/** The completion of fish, 3.0 and later. */
import { allCommands, type CompletedCommand, type Value } from "./grammar.js";

/** A script that registers the completion of `plm`. */
export function fishCompletion(grammar: CompletedCommand): string {
  const lines = allCommands(grammar).flatMap(describe);
  return `# Completion of plm for fish: write it to ~/.config/fish/completions/plm.fish.
complete -c plm -f
${lines.join("\n")}
`;
}

/** The lines of one command: what is below it, its options and its arguments. */
function describe({ path, options, values, commands }: CompletedCommand): string[] {
  const here = `complete -c plm -n ${quoted(conditionOf(path, commands))}`;
  return [
    ...commands.map((command) => {
      return `${here} -a ${quoted(command.path.at(-1)!)} -d ${quoted(command.help)}`;
    }),
    ...options.map(({ names, help, value }) => {
      const flags = names.map((name) =>
        name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`,
      );
      const follows = value === undefined ? "" : ` ${afterOption(value)}`;
      return `${here} ${flags.join(" ")}${follows} -d ${quoted(help)}`;
    }),
    ...values.filter(({ kind }) => kind !== "other").map((value) => `${here} ${argumentOf(value)}`),
  ];
}

/** Where the words so far lead to the path, and not to a command below it. */
function conditionOf(path: readonly string[], commands: readonly CompletedCommand[]): string {
  const reached = path.map((name) => `__fish_seen_subcommand_from ${name}`);
  const below = commands.map((command) => command.path.at(-1)!).join(" ");
  const further = below === "" ? [] : [`not __fish_seen_subcommand_from ${below}`];
  return [...reached, ...further].join("; and ");
}

/** After an option: -r requires a value, and -F offers files. */
function afterOption(value: Value): string {
  if (value.kind === "file") return "-rF";
  if (value.kind === "folder") return "-xa '(__fish_complete_directories)'";
  return value.kind === "other" ? "-x" : `-xa ${quoted(value.choices.join(" "))}`;
}

function argumentOf(value: Value): string {
  if (value.kind === "file") return "-F";
  if (value.kind === "folder") return "-a '(__fish_complete_directories)'";
  return value.kind === "other" ? "" : `-a ${quoted(value.choices.join(" "))}`;
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
