/** Reads from an open file: a Node FileHandle, the caller's or the platform's. */
import { PlmError } from "../errors.js";
import type { ByteSource } from "../format/byte-source.js";
import { attempt } from "./attempt.js";
import type { OpenFile } from "./model-source.js";

/** The longest single read, so that aborts are noticed in between. */
const READ_BYTES = 16 << 20;

/** Whether the value is what `open` of node:fs/promises resolves to. */
export function isOpenFile(value: object): value is OpenFile {
  const { fd, stat, read } = value as Partial<OpenFile>;
  return typeof fd === "number" && typeof stat === "function" && typeof read === "function";
}

/** A source over an open file. Rejects with UNREADABLE_FILE unless it is a regular file. */
export async function openFileSource(file: OpenFile): Promise<ByteSource> {
  const name = `file handle ${file.fd}`;
  const found = await attempt(name, () => file.stat());
  if (found.isFile()) return new OpenFileSource(file, name, found.size);
  throw new PlmError("UNREADABLE_FILE", `${name}: expected a regular file`);
}

/** Reads by offset; does not close the file. */
export class OpenFileSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly sequential = false;
  readonly #file: OpenFile;

  constructor(file: OpenFile, name: string, size: number) {
    this.#file = file;
    this.name = name;
    this.size = size;
  }

  async read(offset: number, target: Uint8Array, signal?: AbortSignal): Promise<number> {
    let done = 0;
    while (done < target.length) {
      signal?.throwIfAborted();
      const length = Math.min(target.length - done, READ_BYTES);
      const { bytesRead } = await attempt(this.name, () =>
        this.#file.read(target, done, length, offset + done),
      );
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    signal?.throwIfAborted();
    return done;
  }

  async close(): Promise<void> {}
}
