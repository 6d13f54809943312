/** `plm detokenize`: the text of token ids. */
import type { Command } from "commander";
import { checkIds } from "../check-tokens.js";
import { addJson } from "../flags.js";
import { addModelOption, openTokenizer } from "../options.js";
import { write, writeJson, writeLine } from "../output.js";
import { ids } from "../parse.js";

interface DetokenizeFlags {
  readonly model?: string;
  readonly tokens: number[];
  readonly json?: boolean;
}

export function addDetokenize(program: Command): void {
  const command = program
    .command("detokenize")
    .summary("text of token ids")
    .description("Prints the text of token ids, exactly: no newline is added but on a terminal.")
    .requiredOption("--ids, --tokens <list>", "token ids, such as 1,2,3", ids("ids"));
  addModelOption(addJson(command, "{text}"))
    .addHelpText("after", "\nExample:\n  plm detokenize --ids 72,105")
    .action(run);
}

async function run(flags: DetokenizeFlags): Promise<void> {
  const tokenizer = await openTokenizer(flags.model);
  checkIds("--ids", flags.tokens, tokenizer.vocabSize);
  const text = tokenizer.decode(flags.tokens);
  if (flags.json) return writeJson({ text });
  await write(text);
  if (process.stdout.isTTY) await writeLine();
}
