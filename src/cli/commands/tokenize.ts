/** `plm tokenize`: the token ids of a text. */
import type { Command } from "commander";
import { addFile, addJson, addSpecial } from "../flags.js";
import { readText, type TextInput } from "../input.js";
import { addModelOption, openTokenizer } from "../options.js";
import { writeJson, writeLine } from "../output.js";

interface TokenizeFlags extends TextInput {
  readonly model?: string;
  readonly special?: boolean;
  readonly nfc: boolean;
  readonly bos: boolean;
  readonly json?: boolean;
}

export function addTokenize(program: Command): void {
  const command = program
    .command("tokenize")
    .summary("token ids of a text")
    .description(
      "Prints the token ids of --text, of --file or of standard input, with commas between them. " +
        "They are what plm generate evaluates: a begin token is first where the file asks for it.",
    )
    .option("--text <text>", "the text")
    .option(
      "--no-nfc",
      "leave the text as it is; do not compose characters first (llama.cpp's way)",
    )
    .option("--no-bos", "never begin with the begin token, even where the file asks for it");
  addSpecial(addFile(command));
  addModelOption(addJson(command, "{ids}"))
    .addHelpText("after", '\nExample:\n  plm tokenize --text "Hello, world!"')
    .action(run);
}

async function run(flags: TokenizeFlags): Promise<void> {
  const tokenizer = await openTokenizer(flags.model);
  const ids = tokenizer.encode(await readText(flags, "text"), {
    special: flags.special,
    addBos: flags.bos,
    normalize: flags.nfc ? "nfc" : "none",
  });
  if (flags.json) await writeJson({ ids });
  else await writeLine(ids.join(","));
}
