/** The completion of zsh, 5.0 and later. */
import { allCommands, type CompletedCommand, type CompletedOption, type Value } from "./grammar.js";

/** A script that defines and registers the completion of `plm`. */
export function zshCompletion(grammar: CompletedCommand): string {
  return `#compdef plm
# Completion of plm for zsh: source it, or write it to a file _plm in a folder of fpath.
${allCommands(grammar).map(describe).join("\n")}
if [[ \${funcstack[1]} == _plm ]]; then _plm "$@"; else compdef _plm plm; fi
`;
}

/** The function of one command. */
function describe({ path, options, values, commands }: CompletedCommand): string {
  const specs = [
    ...options.flatMap(optionSpecs),
    ...(commands.length > 0 ? ["1:command:->command", "*::argument:->argument"] : []),
    ...(commands.length > 0 ? [] : values.map((value) => `:value:${actionOf(value)}`)),
  ].map((spec) => `    ${quoted(spec)}`);
  const lines = [
    `${nameOf(path)}() {`,
    "  local context state state_descr line",
    "  typeset -A opt_args",
  ];
  lines.push("  _arguments -s -S \\", specs.join(" \\\n"));
  if (commands.length > 0) {
    const items = commands.map(({ path, help }) => quoted(`${path.at(-1)!}:${help}`)).join(" ");
    const calls = commands.map(({ path }) => `      ${path.at(-1)!}) ${nameOf(path)} ;;`);
    lines.push("  case $state in");
    lines.push(`    command) local -a commands=(${items}); _describe command commands ;;`);
    lines.push("    argument) case $line[1] in", ...calls, "    esac ;;", "  esac");
  }
  return [...lines, "}"].join("\n");
}

function nameOf(path: readonly string[]): string {
  return ["_plm", ...path].join("_");
}

/** An entry for each name; one excludes the others, unless the option may be repeated. */
function optionSpecs({ names, help, value }: CompletedOption): string[] {
  const isRepeated = help.includes("may be repeated");
  const before = isRepeated ? "*" : `(${names.join(" ")})`;
  const after = value === undefined ? "" : `:value:${actionOf(value)}`;
  return names.map((name) => {
    const joins = value === undefined ? "" : name.startsWith("--") ? "=" : "+";
    return `${before}${name}${joins}[${help.replace(/[\\[\]]/g, "\\$&")}]${after}`;
  });
}

function actionOf(value: Value): string {
  if (value.kind === "file") return "_files";
  if (value.kind === "folder") return "_files -/";
  return value.kind === "other" ? " " : `(${value.choices.join(" ")})`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
