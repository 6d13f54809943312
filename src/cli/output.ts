/** The output of commands: results on standard output, notes and errors on standard error. */

import { styled } from "./colours.js";

const notes: string[] = [];

/** Writes to standard output; resolves when more may be written. */
export async function write(text: string | Uint8Array): Promise<void> {
  if (process.stdout.write(text)) return;
  await new Promise<void>((resolve) => process.stdout.once("drain", resolve));
}

/** Writes one line to standard output. */
export async function writeLine(line = ""): Promise<void> {
  await write(`${line}\n`);
}

/** Writes one object as JSON, on one line. */
export async function writeJson(value: object): Promise<void> {
  await writeLine(JSON.stringify(value));
}

/**
 * Keeps a line for standard error until `showNotes`. A command that fails shows only its error.
 */
export function note(line: string): void {
  notes.push(line);
}

/** Shows the notes so far; to be called with the first result. */
export function showNotes(): void {
  for (const line of notes.splice(0)) {
    process.stderr.write(styled("dim", `plm: ${line}\n`, process.stderr));
  }
}

/** Shows what failed, in one line on standard error. */
export function showError(line: string): void {
  process.stderr.write(`${styled("red", "plm:", process.stderr)} ${line}\n`);
}

/**
 * Ends the process quietly when standard output is closed (`plm generate | head`); if standard
 * error is closed, notes are lost.
 */
export function endOnClosedOutput(): void {
  process.stderr.on("error", () => {});
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    process.stderr.write(`plm: standard output: ${error.message}\n`);
    process.exit(1);
  });
}

/** Bytes in a readable unit: "1.94 GB". */
export function formatBytes(bytes: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return unit === 0 ? `${bytes} bytes` : `${value.toPrecision(3)} ${units[unit]}`;
}

/** Rows of cells as lines, each column as wide as its widest cell; the last is not padded. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length);
    });
  }
  const line = (row: readonly string[]): string =>
    row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i]))).join("  ");
  return rows.map(line).join("\n");
}
