#!/usr/bin/env node
/** The command `plm`. Exit code 0, or not 0 with one line on standard error; 130 after Ctrl-C. */
import { CommanderError } from "commander";
import { describeError } from "./describe-error.js";
import { endOnClosedOutput, INTERRUPTED_EXIT_CODE, Interrupted, showNotes } from "./output.js";
import { createProgram, describeUsageError } from "./program.js";

/** Exit code of anything that went wrong. */
const FAILED_EXIT_CODE = 1;

const program = createProgram();
endOnClosedOutput();
try {
  await program.parseAsync(process.argv);
  showNotes();
} catch (error) {
  process.exitCode = exitCodeOf(error);
  if (process.exitCode === FAILED_EXIT_CODE) {
    const line =
      error instanceof CommanderError ? describeUsageError(error, program) : describeError(error);
    process.stderr.write(`plm: ${line}\n`);
  }
}

/** Help and --version come as errors, too. */
function exitCodeOf(error: unknown): number {
  if (error instanceof Interrupted) return INTERRUPTED_EXIT_CODE;
  return error instanceof CommanderError && error.exitCode === 0 ? 0 : FAILED_EXIT_CODE;
}
