/** The file of --session: a saved session that a command goes on from and writes anew. */
import { access, constants, realpath, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { peekSnapshot } from "../cache/read-snapshot.js";
import { PlmError } from "../errors.js";
import { closeSources, openSources } from "../sources/source.js";
import { writeOutput } from "./output-file.js";
import { asWriting } from "./write-whole.js";

export class SessionFile {
  /** Tokens in the file; undefined where there is none. */
  readonly length: number | undefined;
  readonly #path: string;
  readonly #label: string;

  private constructor(path: string, label: string, length: number | undefined) {
    this.#path = path;
    this.#label = label;
    this.length = length;
  }

  /**
   * A session file of a conversation, or of a text, as its header says. Throws before a model is
   * loaded: UNREADABLE_FILE, INVALID_FILE or UNSUPPORTED_FILE for a file that is none of that kind,
   * UNWRITABLE_FILE for a folder in which none can be written. `label` is the file's option or
   * command in messages.
   */
  static async open(
    path: string,
    kind: "conversation" | "text",
    label = "--session",
  ): Promise<SessionFile> {
    const name = `${label}: ${path}`;
    if (path === "") throw new PlmError("INVALID_ARGUMENT", `${label}: expected a file, got ""`);
    const found = await asReading(name, () => findFile(path));
    const target = found ?? path;
    await asWriting(name, access(dirname(resolve(target)), constants.W_OK));
    const length = found === undefined ? undefined : await peek(path, name, kind);
    return new SessionFile(path, label, length);
  }

  /** What `use` makes of the file, as a source; its errors name the file. */
  restore<T>(use: (source: string) => Promise<T>): Promise<T> {
    return asReading(`${this.#label}: ${this.#path}`, () => use(resolve(this.#path)));
  }

  /**
   * Replaces the file, whole or not at all. `save` is called when it can be written. Throws
   * UNWRITABLE_FILE, the signal's reason, and as `save`.
   */
  async write(save: () => AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<void> {
    const pieces = (async function* () {
      yield* save();
    })();
    await writeOutput({ path: this.#path, label: this.#label, force: true }, pieces, signal);
  }
}

/** Where a file is, by whatever links; undefined where there is none. */
async function findFile(path: string): Promise<string | undefined> {
  try {
    const found = await stat(path);
    if (found.isFile()) return await realpath(path);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    throw new PlmError("UNREADABLE_FILE", `expected a readable file, got ${message}`, { cause });
  }
  throw new PlmError("INVALID_ARGUMENT", "expected a file, got what is no regular file");
}

/** The tokens of a session of the kind. */
function peek(path: string, name: string, kind: "conversation" | "text"): Promise<number> {
  return asReading(name, async () => {
    const sources = await openSources(resolve(path));
    try {
      const { length, hasMessages } = await peekSnapshot(sources[0]);
      if (hasMessages === (kind === "conversation")) return length;
    } finally {
      await closeSources(sources);
    }
    const [expected, got] =
      kind === "text"
        ? ["a session of plm generate", "a conversation, which plm chat goes on with"]
        : ["a conversation", "a session without messages, which plm generate goes on with"];
    throw new PlmError("UNSUPPORTED_FILE", `expected ${expected}, got ${got}`);
  });
}

/** Runs what reads the file; its errors begin with the option and the file. */
async function asReading<T>(name: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    const error = PlmError.from(cause);
    if (error === undefined) throw cause;
    throw new PlmError(error.code, `${name}: ${error.message}`, { cause });
  }
}
