/** `plm completion`: a script that completes command lines in a shell. */
import { Argument, type Command } from "commander";
import { bashCompletion } from "../completion/bash.js";
import { fishCompletion } from "../completion/fish.js";
import { type CompletedCommand, grammarOf } from "../completion/grammar.js";
import { zshCompletion } from "../completion/zsh.js";
import { write } from "../output.js";

const SHELLS: Readonly<Record<string, (grammar: CompletedCommand) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

export function addCompletion(program: Command): void {
  program
    .command("completion")
    .summary("a script that completes commands in a shell")
    .description(
      "Prints a script that makes the tab key complete commands, options, choices and files. In " +
        'bash: eval "$(plm completion bash)" in ~/.bashrc; in zsh: eval "$(plm completion zsh)" ' +
        "after compinit in ~/.zshrc; in fish: plm completion fish > " +
        "~/.config/fish/completions/plm.fish.",
    )
    .addArgument(new Argument("<shell>", "the shell").choices(Object.keys(SHELLS)))
    .addHelpText("after", "\nExample:\n  plm completion bash")
    .action((shell: string) => write(SHELLS[shell](grammarOf(program))));
}
