/** Where a command writes its file: to a new path, or to one that it may replace. */
import type { Stats } from "node:fs";
import { lstat, realpath, stat } from "node:fs/promises";
import { PlmError } from "../errors.js";
import { asWriting, writeWhole } from "./write-whole.js";

/** Where to write. */
export interface OutputPlace {
  readonly path: string;
  /** The path's name in messages: the option or the argument. */
  readonly label: string;
  /** Whether an existing file may be replaced. */
  readonly force?: boolean | undefined;
}

/**
 * Writes the pieces to the place as `writeWhole` does, and returns the number of bytes. Throws
 * INVALID_ARGUMENT, before the first piece, for a path that exists, unless `force` is set, or that
 * is not a regular file.
 */
export async function writeOutput(
  place: OutputPlace,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
  onProgress: (bytes: number) => void = () => {},
): Promise<number> {
  const name = nameOf(place);
  return writeWhole(await findTarget(place), pieces, { name, signal, onProgress });
}

function nameOf({ label, path }: OutputPlace): string {
  return `${label}: ${path}`;
}

function invalid({ label }: OutputPlace, got: string): PlmError {
  return new PlmError("INVALID_ARGUMENT", `${label}: expected a new file, got ${got}`);
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
  return asWriting(nameOf(place), realpath(path));
}

async function statOf(path: string | URL, call = stat): Promise<Stats | undefined> {
  return (call as (path: string | URL) => Promise<Stats>)(path).catch(() => undefined);
}

/** Throws INVALID_ARGUMENT if the place is, also by links, one of the files to read. */
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

/** Whether a path or file: URL to read and a path to write are one file, also by links. */
async function isSameFile(input: string, path: string): Promise<boolean> {
  const place = input.startsWith("file:") ? new URL(input) : input;
  const [one, two] = await Promise.all([statOf(place), statOf(path)]);
  return one !== undefined && two !== undefined && one.dev === two.dev && one.ino === two.ino;
}
