/** The program `plm`: its commands, their help, and messages for wrong command lines. */
import { Command, type CommanderError } from "commander";
import { addBatch } from "./commands/batch.js";
import { addBench } from "./commands/bench.js";
import { addChat } from "./commands/chat.js";
import { addCompletion } from "./commands/completion.js";
import { addConvert } from "./commands/convert.js";
import { addDetokenize } from "./commands/detokenize.js";
import { addDoctor } from "./commands/doctor.js";
import { addExport } from "./commands/export.js";
import { addGenerate } from "./commands/generate.js";
import { addHelp, findCommand } from "./commands/help.js";
import { addInit } from "./commands/init.js";
import { addInspect } from "./commands/inspect.js";
import { addLogits } from "./commands/logits.js";
import { addModels } from "./commands/models.js";
import { addPerplexity } from "./commands/perplexity.js";
import { addPull } from "./commands/pull.js";
import { addQuantize } from "./commands/quantize.js";
import { addServe } from "./commands/serve.js";
import { addTokenize } from "./commands/tokenize.js";
import { addTrain } from "./commands/train.js";
import { addWorker } from "./commands/worker.js";
import { onOneLine } from "./describe-error.js";
import { describeOption } from "./flags.js";
import { readVersion } from "./machine.js";

const DESCRIPTION = `Runs PLM language models (GGUF files) on this machine.

Start with
  plm generate --prompt "Once upon a time"
  plm chat
and pass --model FILE, or hf:owner/repo/file, for a model of your own;
\`plm help generate\` explains the rest.`;

/** The program, ready to parse; wrong command lines throw a CommanderError of one line. */
export function createProgram(): Command {
  const program = new Command("plm")
    .allowExcessArguments(false)
    .description(DESCRIPTION)
    .version(readVersion(), "--version", "print the version of the package")
    .configureHelp({ showGlobalOptions: false, optionDescription: describeOption })
    .configureOutput({ writeErr: () => {} })
    .exitOverride()
    .usage("<command> [options]")
    .helpCommand(false)
    // The options of an unknown command are unknown, too: the action reports the command.
    .allowUnknownOption()
    .on("beforeHelp", () => refuseUnknown(program))
    .action(() => {
      refuseUnknown(program);
      program.outputHelp();
    });
  for (const add of [
    addGenerate,
    addChat,
    addServe,
    addBatch,
    addWorker,
    addLogits,
    addTokenize,
    addDetokenize,
    addBench,
    addPerplexity,
    addInspect,
    addPull,
    addModels,
    addInit,
    addQuantize,
    addExport,
    addConvert,
    addTrain,
    addDoctor,
    addCompletion,
    addHelp,
  ]) {
    add(program);
  }
  // Set last, since commands inherit it when they are added. The action reports unknown commands.
  return program.allowExcessArguments();
}

/** A usage error where the first word is neither a command nor an option of the program. */
function refuseUnknown(program: Command): void {
  const [word] = program.args;
  if (word === undefined || word === "-h" || word === "--help") return;
  if (word.startsWith("-")) program.error(`unknown option '${word}'`);
  findCommand(program, word);
}

/**
 * A wrong command line in one line: what came, and where to find what was expected. Commander's
 * message names the option or the argument.
 */
export function describeUsageError(error: CommanderError, program: Command): string {
  const name = process.argv.slice(2).find((word) => !word.startsWith("-"));
  const command = program.commands.find((each) => each.name() === name);
  const isExcess = command !== undefined && error.code === "commander.excessArguments";
  const message = isExcess ? describeExcess(command) : onOneLine(error.message);
  const help = command === undefined || name === "help" ? "plm" : `plm ${name}`;
  return `${message.replace(/^error: |\.$/g, "")}; see ${help} --help`;
}

/** The number of arguments that a command takes, and the first one too many. */
function describeExcess(command: Command): string {
  const most = command.registeredArguments.length;
  const expected = most === 0 ? "options only" : `${most} argument${most === 1 ? "" : "s"}`;
  return `${command.name()}: expected ${expected}, got '${command.args[most]}' as well`;
}
