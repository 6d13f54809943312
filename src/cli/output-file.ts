/** Files that commands write: whole under their name, or not at all. */
import type { Stats } from "node:fs";
import { type FileHandle, lstat, open, realpath, rename, stat } from "node:fs/promises";
import { PlmError } from "../errors.js";
import { withTemporaryFile } from "./temporary-file.js";

/** Where to write. */
export interface OutputPlace {
  readonly path: string;
  /** How messages call the path: the option or the argument. */
  readonly label: string;
  /** Whether a file of that name may be replaced. */
  readonly force?: boolean | undefined;
}

/**
 * Writes the pieces to a file beside the path that then takes the path's name, and returns the
 * bytes. `onProgress` gets the bytes so far. Throws INVALID_ARGUMENT for a path that exists, unless
 * forced, or that is no regular file, UNWRITABLE_FILE for one that cannot be written: before the
 * first piece where possible. Whatever fails, an abort included, leaves the path as it was
 * and nothing beside it.
 */
export async function writeOutput(
  place: OutputPlace,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  signal: AbortSignal,
  onProgress: (bytes: number) => void = () => {},
): Promise<number> {
  const target = await findTarget(place);
  const partial = `${target}.${process.pid}.part`;
  const file = await asWriting(place, open(partial, "wx"));
  return withTemporaryFile(partial, async () => {
    const bytes = await writePieces(place, file, pieces, signal, onProgress);
    await asWriting(place, rename(partial, target));
    return bytes;
  });
}

async function writePieces(
  place: OutputPlace,
  file: FileHandle,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  signal: AbortSignal,
  onProgress: (bytes: number) => void,
): Promise<number> {
  let bytes = 0;
  try {
    for await (const piece of pieces) {
      signal.throwIfAborted();
      await asWriting(place, file.writeFile(piece));
      bytes += piece.length;
      onProgress(bytes);
    }
    signal.throwIfAborted();
  } finally {
    await asWriting(place, file.close());
  }
  return bytes;
}

function invalid({ label }: OutputPlace, got: string): PlmError {
  return new PlmError("INVALID_ARGUMENT", `${label}: expected a new file, got ${got}`);
}

/** Passes on the result of a call to the file system; its errors become the place's. */
async function asWriting<T>(place: OutputPlace, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const reason = `${place.label}: ${place.path} could not be written: ${code ?? message}`;
    throw new PlmError("UNWRITABLE_FILE", reason, { cause });
  }
}

/** The path, or what a link leads to, so that the link itself is not replaced. */
async function findTarget(place: OutputPlace): Promise<string> {
  const { path, force } = place;
  if (path === "") throw invalid(place, '""');
  const found = await statOf(path);
  if (found === undefined) {
    if ((await statOf(path, lstat)) === undefined) return path;
    throw invalid(place, `${path}, a link that leads nowhere`);
  }
  if (!found.isFile()) throw invalid(place, `${path}, which is no regular file`);
  if (!force) throw invalid(place, `${path}, which exists; --force overwrites it`);
  return asWriting(place, realpath(path));
}

async function statOf(path: string | URL, call = stat): Promise<Stats | undefined> {
  return (call as (path: string | URL) => Promise<Stats>)(path).catch(() => undefined);
}

/** Throws INVALID_ARGUMENT where the place is, by whatever links, one of the files to read. */
export async function refuseInputs(
  { path, label }: OutputPlace,
  inputs: readonly string[],
): Promise<void> {
  for (const input of inputs) {
    if (!(await isSameFile(input, path))) continue;
    const expected = "expected another file than the input";
    throw new PlmError("INVALID_ARGUMENT", `${label}: ${expected}, got ${path}`);
  }
}

/** Whether a path or file: URL to read and a path to write lead to one file, by whatever links. */
async function isSameFile(input: string, path: string): Promise<boolean> {
  const place = input.startsWith("file:") ? new URL(input) : input;
  const [one, two] = await Promise.all([statOf(place), statOf(path)]);
  return one !== undefined && two !== undefined && one.dev === two.dev && one.ino === two.ino;
}
