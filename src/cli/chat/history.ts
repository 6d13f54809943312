/** The lines that were typed, kept between runs in a file of one JSON string a line. */
import { mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { asWriting, writeWhole } from "../write-whole.js";

/** The most lines that are kept. */
export const MOST_LINES = 1000;

/** The most characters of a line that is kept. */
const MOST_CHARACTERS = 4000;

/** The end of the file that is read: more than such lines take in it as a rule. */
const MOST_BYTES = 1 << 20;

/** Only for the user: questions may be private. */
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

export class History {
  /** The lines when it was opened, newest first. */
  readonly lines: readonly string[];
  readonly #path: string | undefined;
  readonly #onFailure: (error: unknown) => void;
  #writing: Promise<void> = Promise.resolve();
  #hasFailed = false;

  /** Of a file that need not exist; without a path, or if it cannot be read, nothing is kept. */
  static async open(
    path: string | undefined,
    onFailure: (error: unknown) => void,
  ): Promise<History> {
    return new History(path, path === undefined ? [] : await readLines(path), onFailure);
  }

  private constructor(
    path: string | undefined,
    oldestFirst: readonly string[],
    onFailure: (error: unknown) => void,
  ) {
    this.#path = path;
    this.lines = oldestFirst.toReversed();
    this.#onFailure = onFailure;
  }

  /** Keeps a line. The first failure is reported, and ends the keeping. */
  add(line: string): void {
    const path = this.#path;
    if (path === undefined || line.trim() === "" || line.length > MOST_CHARACTERS) return;
    this.#writing = this.#writing.then(async () => {
      if (this.#hasFailed) return;
      try {
        await append(path, line);
      } catch (error) {
        this.#hasFailed = true;
        this.#onFailure(error);
      }
    });
  }

  /** Settles when all lines are in the file. */
  flushed(): Promise<void> {
    return this.#writing;
  }
}

/** Writes the file anew, with what other programs have added meanwhile. */
async function append(path: string, line: string): Promise<void> {
  const before = await readLines(path);
  if (before.at(-1) === line) return;
  const lines = [...before, line].slice(-MOST_LINES);
  const text = lines.map((each) => `${JSON.stringify(each)}\n`).join("");
  const name = "history";
  await asWriting(name, mkdir(dirname(path), { recursive: true, mode: FOLDER_MODE }));
  await writeWhole(path, [new TextEncoder().encode(text)], { name, mode: FILE_MODE });
}

/** The lines of the file, oldest first, without what is damaged; none if there is no file. */
async function readLines(path: string): Promise<string[]> {
  const text = await readEnd(path).catch(() => "");
  return text
    .split("\n")
    .flatMap((each) => parseLine(each) ?? [])
    .slice(-MOST_LINES);
}

async function readEnd(path: string): Promise<string> {
  const file = await open(path, "r");
  try {
    const found = await file.stat();
    if (!found.isFile()) return "";
    const position = Math.max(0, found.size - MOST_BYTES);
    const { buffer, bytesRead } = await file.read(
      Buffer.alloc(MOST_BYTES),
      0,
      MOST_BYTES,
      position,
    );
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await file.close();
  }
}

/** A line without breaks; undefined for anything else. */
function parseLine(json: string): string | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "string" && !/[\r\n]/.test(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
