/** The lines of a file as bytes, read piece by piece. */
import { createReadStream } from "node:fs";
import { PlmError, reasonOf } from "../../errors.js";

const LINE_FEED = 10;

/** A line of a file. */
export interface FileLine {
  /** Counted from 1. */
  readonly number: number;
  /** Without the line feed; undefined for a line that is longer than the limit. */
  readonly bytes: Buffer | undefined;
  /** Where it begins in the file. */
  readonly start: number;
  /** Whether a line feed ends it; only the last line may lack one. */
  readonly isWhole: boolean;
}

/**
 * The lines of a file. `label` names the file in errors: UNREADABLE_FILE. Of a line that is longer
 * than the limit no more is kept than that.
 */
export async function* splitLines(
  path: string,
  label: string,
  mostBytes: number = Infinity,
): AsyncGenerator<FileLine, void> {
  let pieces: Buffer[] = [];
  let length = 0;
  let start = 0;
  let number = 0;
  const add = (piece: Buffer): void => {
    length += piece.length;
    if (length <= mostBytes) pieces.push(piece);
    else pieces = [];
  };
  const take = (isWhole: boolean): FileLine => {
    const bytes = length > mostBytes ? undefined : Buffer.concat(pieces);
    const line = { number: ++number, bytes, start, isWhole };
    start += length + (isWhole ? 1 : 0);
    pieces = [];
    length = 0;
    return line;
  };
  for await (const chunk of readPieces(path, label)) {
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, from)) {
      add(chunk.subarray(from, end));
      yield take(true);
      from = end + 1;
    }
    if (from < chunk.length) add(chunk.subarray(from));
  }
  if (length > 0) yield take(false);
}

async function* readPieces(path: string, label: string): AsyncGenerator<Buffer, void> {
  try {
    yield* createReadStream(path) as AsyncIterable<Buffer>;
  } catch (cause) {
    const message = `${label}: expected a file that can be read: ${reasonOf(cause)}`;
    throw new PlmError("UNREADABLE_FILE", message, { cause });
  }
}
