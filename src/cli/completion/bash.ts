/** The completion of bash, 3.2 and later. */
import { allCommands, type CompletedCommand, type Value } from "./grammar.js";

/** A script that defines and registers the completion of `plm`. */
export function bashCompletion(grammar: CompletedCommand): string {
  const commands = allCommands(grammar);
  const paths = commands.filter(({ path }) => path.length > 0).map(({ path }) => keyOf(path));
  return `# Completion of plm for bash: source it, or write it to a file that bash reads.
_plm() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} path='' word i
  local values=0 words='' IFS=$' \\t\\n'
  COMPREPLY=()
  # In --name=value, bash takes = for a word.
  if [[ $cur == = ]]; then cur=''; elif [[ $prev == = ]]; then prev=\${COMP_WORDS[COMP_CWORD-2]}; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case "$path/$word" in
      ${cases(paths)}) path="$path/$word"; values=0 ;;
      ${orNever(cases(valuedOptions(commands)))})
        ((i++))
        [[ \${COMP_WORDS[i]} == = ]] && ((i++)) ;;
      */-*) ;;
      *) ((values++)) ;;
    esac
  done
  case "$path/$prev" in
${commands.flatMap(optionValues).join("\n")}
  esac
  if [[ $cur == -* ]]; then
    case "$path" in
${commands.map(optionNames).join("\n")}
    esac
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
    return
  fi
  case "$path:$values" in
${commands.flatMap(positions).join("\n")}
  esac
}
# Files, or with -d folders: by the shell itself where it can.
_plm_files() {
  local how=default IFS=$'\\n'
  [[ $1 == -d ]] && how=dirnames
  compopt -o "$how" 2>/dev/null && return
  COMPREPLY=($(compgen "$1" -- "$2"))
}
complete -F _plm plm
`;
}

/** A command's path in the script, such as /generate; empty for the program. */
function keyOf(path: readonly string[]): string {
  return path.map((name) => `/${name}`).join("");
}

/** A word that is no name of a command or an option, in single quotes. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function cases(patterns: readonly string[]): string {
  return patterns.map(quoted).join(" | ");
}

/** A list of patterns, or one that nothing matches. */
function orNever(patterns: string): string {
  return patterns === "" ? "''" : patterns;
}

/** The options with values, as "/generate/--cache". */
function valuedOptions(commands: readonly CompletedCommand[]): string[] {
  return commands.flatMap(({ path, options }) =>
    options
      .filter(({ value }) => value !== undefined)
      .flatMap(({ names }) => names.map((name) => `${keyOf(path)}/${name}`)),
  );
}

/** The names of a command's options. */
function optionNames({ path, options }: CompletedCommand): string {
  const names = options.flatMap((option) => option.names).join(" ");
  return `      ${quoted(keyOf(path))}) words=${quoted(names)} ;;`;
}

/** What follows each option that has a value. */
function optionValues({ path, options }: CompletedCommand): string[] {
  return options.flatMap(({ names, value }) => {
    if (value === undefined) return [];
    const patterns = cases(names.map((name) => `${keyOf(path)}/${name}`));
    const before = value.kind === "other" ? "" : `${offer(value)}; `;
    return [`    ${patterns}) ${before}return ;;`];
  });
}

/** The commands below a command, or its arguments in their places. */
function positions({ path, commands, values }: CompletedCommand): string[] {
  const below = commands.map((command) => command.path.at(-1)!);
  const all: Value[] = below.length > 0 ? [{ kind: "choice", choices: below }] : [...values];
  return all.map((value, i) => `    ${quoted(`${keyOf(path)}:${i}`)}) ${offer(value)} ;;`);
}

function offer(value: Value): string {
  if (value.kind === "file") return '_plm_files -f "$cur"';
  if (value.kind === "folder") return '_plm_files -d "$cur"';
  if (value.kind === "other") return ":";
  return `COMPREPLY=($(compgen -W ${quoted(value.choices.join(" "))} -- "$cur"))`;
}
