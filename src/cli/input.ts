/** Text input of commands: from an option, a file or standard input. */
import { constants } from "node:buffer";
import { readFile } from "node:fs/promises";
import { PlmError } from "../errors.js";
import { note, showNotes } from "./output.js";

/** The sources of a command's text. */
export interface TextInput {
  readonly text?: string;
  readonly file?: string;
}

/**
 * The text, the file's contents, or all of standard input; exactly as it is. Throws
 * INVALID_ARGUMENT for both a text and a file and for bytes that are not UTF-8, UNREADABLE_FILE; an
 * abort rejects with its reason.
 */
export async function readText(
  { text, file }: TextInput,
  flag: string,
  signal?: AbortSignal,
): Promise<string> {
  if (text !== undefined && file !== undefined) {
    throw new PlmError("INVALID_ARGUMENT", `--file: expected --${flag} or --file, got both`);
  }
  if (text !== undefined) return text;
  return file === undefined ? readStandardInput(signal) : readTextFile(file);
}

/** The name of the text's source in messages. */
export function labelOf({ text, file }: TextInput, flag: string): string {
  if (text !== undefined) return `--${flag}`;
  return file === undefined ? "standard input" : "--file";
}

async function readTextFile(path: string): Promise<string> {
  return decodeText(await readBytes(path), path);
}

/** Text from bytes; a byte order mark is kept. Throws INVALID_ARGUMENT. */
function decodeText(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ERR_STRING_TOO_LONG") throw notUtf8(name, cause);
    const problem = `expected at most ${constants.MAX_STRING_LENGTH} characters`;
    const message = `${name}: ${problem}, got ${bytes.length} bytes`;
    throw new PlmError("INVALID_ARGUMENT", message, { cause });
  }
}

function notUtf8(name: string, cause: unknown): PlmError {
  const message = `${name}: expected UTF-8, got bytes that are not`;
  return new PlmError("INVALID_ARGUMENT", message, { cause });
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new PlmError("UNREADABLE_FILE", `--file: expected a readable file, got ${reason}`, {
      cause,
    });
  }
}

async function readStandardInput(signal: AbortSignal | undefined): Promise<string> {
  if (process.stdin.isTTY) {
    note("reading the text from the terminal; Ctrl-D on a new line ends it");
    showNotes();
  }
  const stop = (): void => void process.stdin.destroy(signal?.reason);
  signal?.addEventListener("abort", stop);
  const chunks: Uint8Array[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  signal?.removeEventListener("abort", stop);
  return decodeText(Buffer.concat(chunks), "standard input");
}

/**
 * The lines of standard input as they arrive, without their ends: only \n or \r\n, while readline
 * knows others. Throws INVALID_ARGUMENT for bytes that are not UTF-8.
 */
export async function* inputLines(): AsyncGenerator<string, void> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let line = "";
  for await (const chunk of process.stdin) {
    const [first, ...others] = decodeChunk(decoder, chunk).split("\n");
    line += first;
    for (const other of others) {
      yield withoutReturn(line);
      line = other;
    }
  }
  line += decodeChunk(decoder);
  if (line !== "") yield withoutReturn(line);
}

/** The lines that a chunk completes or, without one, that the end of the input does. */
function decodeChunk(decoder: TextDecoder, chunk?: Uint8Array): string {
  try {
    return decoder.decode(chunk, { stream: chunk !== undefined });
  } catch (cause) {
    throw notUtf8("standard input", cause);
  }
}

function withoutReturn(line: string): string {
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}
