/**
 * The output of a batch: a line for each that is answered, appended when it is. A process that is
 * killed leaves whole lines and at most a part of one, which the next cuts off.
 */
import * as fs from "node:fs/promises";
import * as os from "node:os";
import { PlmError, quote, reasonOf } from "../../errors.js";
import { takeLock } from "../../platform/disk-lock.js";
import { type BatchLine, keyOf, type LineKey } from "./lines.js";
import { formatOutcome, isSuccess, type Outcome } from "./outcome.js";
import { type FileLine, splitLines } from "./split-lines.js";

/** The right to write a file. */
type Lock = NonNullable<Awaited<ReturnType<typeof takeLock>>>;

/** How each line begins, as `formatOutcome` writes it. */
const BEGINNING = '{"id":"batch_req_';

export class Answers {
  /** The lines that are answered. */
  readonly keys: Set<LineKey> = new Set();
  #failed = 0;
  readonly #path: string;
  readonly #file: fs.FileHandle;
  readonly #lock: Lock;
  #size = 0;
  #waiting: string[] = [];
  #written: Promise<void> = Promise.resolve();

  private constructor(path: string, file: fs.FileHandle, lock: Lock) {
    this.#path = path;
    this.#file = file;
    this.#lock = lock;
  }

  /** How many of the lines did not get what they asked for. */
  get failed(): number {
    return this.#failed;
  }

  /**
   * Opens the file, or makes it, for this process alone. `known` are the lines of the batch. Throws
   * INVALID_ARGUMENT for a file that another command writes, that is no output of a batch or that
   * of another one, UNREADABLE_FILE and UNWRITABLE_FILE.
   */
  static async open(path: string, known: ReadonlySet<LineKey>): Promise<Answers> {
    const file = await asWriting(path, fs.open(path, "a+"));
    let lock: Lock | undefined;
    try {
      if (!(await file.stat()).isFile()) throw invalid("a file", `${path}, which is none`);
      const place = await asWriting(path, fs.realpath(path));
      lock = await asWriting(path, takeLock({ fs, os }, `${place}.lock`));
      if (lock === undefined) {
        throw invalid("a file that no other plm batch writes", `${path}, which one does`);
      }
      const answers = new Answers(path, file, lock);
      await answers.#read(known);
      return answers;
    } catch (error) {
      await lock?.release();
      await file.close();
      throw error;
    }
  }

  /** Appends what became of a line; resolves when it is on the disk. Throws UNWRITABLE_FILE. */
  async add(line: BatchLine, outcome: Outcome): Promise<void> {
    this.#waiting.push(formatOutcome(line, outcome));
    this.keys.add(keyOf(line));
    if (!isSuccess(outcome)) this.#failed++;
    // What comes while the disk is busy is written together.
    this.#written = this.#written.then(() => this.#write());
    await this.#written;
  }

  /** Gives the file up, once all is written. */
  async close(): Promise<void> {
    await this.#written.catch(() => {});
    await this.#file.close();
    await this.#lock.release();
  }

  async #read(known: ReadonlySet<LineKey>): Promise<void> {
    for await (const line of splitLines(this.#path, "out")) {
      if (!line.isWhole) {
        checkTorn(line);
        return asWriting(this.#path, this.#file.truncate(line.start));
      }
      const { key, isFailed } = parseAnswer(line);
      if (!known.has(key)) {
        const which = typeof key === "string" ? `custom_id ${quote(key)}` : `line ${key}`;
        throw invalid("answers to this batch", `one to ${which}, which it does not have`);
      }
      if (this.keys.has(key)) throw invalid("an answer to each line", `two to ${quote(`${key}`)}`);
      this.keys.add(key);
      if (isFailed) this.#failed++;
      this.#size = line.start + line.bytes!.length + 1;
    }
  }

  async #write(): Promise<void> {
    const text = this.#waiting.splice(0).join("");
    if (text === "") return;
    const { size, nlink } = await asWriting(this.#path, this.#file.stat());
    if (size !== this.#size || nlink === 0) {
      throw unwritable(this.#path, "something else changed it meanwhile");
    }
    try {
      await this.#file.appendFile(text);
      await this.#file.datasync();
    } catch (cause) {
      await this.#file.truncate(this.#size).catch(() => {});
      throw unwritable(this.#path, reasonOf(cause), cause);
    }
    this.#size += Buffer.byteLength(text);
  }
}

/** Throws for a part of a line that was not written here: it is not to be cut off. */
function checkTorn({ number, bytes }: FileLine): void {
  const text = bytes!.toString();
  if (text.startsWith(BEGINNING) || BEGINNING.startsWith(text)) return;
  throw invalid("answers of plm batch", `another text in line ${number}`);
}

/** Which line an answer is to. */
function parseAnswer({ number, bytes }: FileLine): { key: LineKey; isFailed: boolean } {
  try {
    const { custom_id, response, error } = JSON.parse(bytes!.toString());
    const key = custom_id ?? error.line;
    if (typeof key === "string" || typeof key === "number") {
      return { key, isFailed: !(response?.status_code < 300) };
    }
  } catch {
    // Said below.
  }
  throw invalid("answers of plm batch", `another text in line ${number}`);
}

function invalid(expected: string, got: string): PlmError {
  return new PlmError("INVALID_ARGUMENT", `out: expected ${expected}, got ${got}`);
}

function unwritable(path: string, reason: string, cause?: unknown): PlmError {
  const message = `out: ${path} could not be written: ${reason}; its whole lines are intact`;
  return new PlmError("UNWRITABLE_FILE", message, { cause });
}

/** The result of a call to the file system, whose errors become UNWRITABLE_FILE. */
async function asWriting<T>(path: string, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (cause) {
    throw unwritable(path, reasonOf(cause), cause);
  }
}
