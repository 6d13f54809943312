#!/usr/bin/env node
/**
 * The command `plm`. Exit code 0; after signal n, 128 + n; else 1, with one line on standard error.
 */
import { type Command, CommanderError } from "commander";
import { describeError } from "./describe-error.js";
import { Interrupted } from "./interrupt.js";
import { endOnClosedOutput, showError, showNotes } from "./output.js";
import { createProgram, describeUsageError } from "./program.js";

/** Exit code of anything that went wrong. */
const FAILED_EXIT_CODE = 1;

const program = createProgram();
let command: Command | undefined;
program.hook("preAction", (_, acting) => {
  command = acting;
});
endOnClosedOutput();
try {
  await program.parseAsync(process.argv);
  showNotes();
} catch (error) {
  process.exitCode = exitCodeOf(error);
  if (process.exitCode === FAILED_EXIT_CODE) {
    const isUsage = error instanceof CommanderError;
    const line = isUsage ? describeUsageError(error, program) : describeError(error, command);
    showError(line);
  }
}

/** Help and --version are also thrown as errors. */
function exitCodeOf(error: unknown): number {
  if (error instanceof Interrupted) return error.exitCode;
  return error instanceof CommanderError && error.exitCode === 0 ? 0 : FAILED_EXIT_CODE;
}
