/** Text that commands are given: as an option, in a file, or on standard input. */
import { readFile } from "node:fs/promises";
import { PlmError } from "../errors.js";
import { note, showNotes } from "./output.js";

/** Where a command's text may come from. */
export interface TextInput {
  readonly text?: string;
  readonly file?: string;
}

/**
 * The text, the file's contents, or all of standard input; exactly as it is, bytes that are not
 * UTF-8 as U+FFFD. Throws INVALID_ARGUMENT for both a text and a file, UNREADABLE_FILE.
 */
export async function readText({ text, file }: TextInput, flag: string): Promise<string> {
  if (text !== undefined && file !== undefined) {
    throw new PlmError("INVALID_ARGUMENT", `text: expected --${flag} or --file, got both`);
  }
  if (text !== undefined) return text;
  return file === undefined ? readStandardInput() : readTextFile(file);
}

async function readTextFile(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new PlmError("UNREADABLE_FILE", `--file: expected a readable file, got ${reason}`, {
      cause,
    });
  }
}

async function readStandardInput(): Promise<string> {
  if (process.stdin.isTTY) {
    note("reading the text from the terminal; Ctrl-D on a new line ends it");
    showNotes();
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
