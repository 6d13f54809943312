/** `plm help`: explains a command, with its options and an example. */
import { Argument, type Command } from "commander";

export function addHelp(program: Command): void {
  program
    .command("help")
    .summary("explain a command")
    .description("Explains a command, with its options and an example.")
    .addArgument(new Argument("[command]", "the command to explain; without it, all are listed"))
    .addHelpText("after", "\nExample:\n  plm help generate")
    .action((name?: string) => findCommand(program, name).outputHelp());
}

/** The command of that name, or the program itself. An unknown name is a usage error. */
export function findCommand(program: Command, name: string | undefined): Command {
  if (name === undefined) return program;
  const found = program.commands.find((command) => command.name() === name);
  if (found !== undefined) return found;
  const names = program.commands.map((command) => command.name()).join(", ");
  return program.error(`expected a command (${names}), got '${name}'`);
}
