/** Runs the real `plm` in processes of its own, over small random models in a folder of its own. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import * as assert from "uvu/assert";
import {
  createRandomModel,
  DEFAULT_RANDOM_MODEL,
  type RandomModelOptions,
} from "../../../src/cli/random-model.js";

const MAIN = resolve("build/src/cli/main.js");

/** A folder that is removed when the process ends. */
export const folder: string = mkdtempSync(join(tmpdir(), "plm-test-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

/** The result of a run. */
export interface Run {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Starts `plm`, in the folder. */
export function start(...args: string[]): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [MAIN, ...args], { cwd: folder });
}

/** Waits for the end. */
export function finish(child: ChildProcessWithoutNullStreams): Promise<Run> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (chunk) => stdout.push(chunk));
  child.stderr.on("data", (chunk) => stderr.push(chunk));
  return new Promise((done) => {
    child.on("close", (code) => {
      done({ code, stdout: String(Buffer.concat(stdout)), stderr: String(Buffer.concat(stderr)) });
    });
  });
}

/** Runs `plm` with `input` on standard input. */
export function plmWith(input: string, ...args: string[]): Promise<Run> {
  const child = start(...args);
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  return finish(child);
}

/** Runs `plm` with nothing on standard input. */
export function plm(...args: string[]): Promise<Run> {
  return plmWith("", ...args);
}

/** Standard output of a run that must succeed and say nothing on standard error. */
export async function output(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await plm(...args);
  assert.is(stderr, "");
  assert.is(code, 0);
  return stdout;
}

/** The one object that a run with --json must print. */
export async function json<T>(...args: string[]): Promise<T> {
  const text = await output(...args, "--json");
  assert.is(text.indexOf("\n"), text.length - 1, "one line");
  return JSON.parse(text) as T;
}

/** Fails unless the run failed with exactly one line on standard error that matches. */
export async function assertFails(line: RegExp, ...args: string[]): Promise<void> {
  const { code, stdout, stderr } = await plm(...args);
  assert.match(stderr, line);
  assert.is(stderr.indexOf("\n"), stderr.length - 1, `one line: ${stderr}`);
  assert.is(code, 1);
  assert.is(stdout, "");
}

/** Path of a new random model. */
export function writeRandomModel(name: string, options: Partial<RandomModelOptions> = {}): string {
  const path = join(folder, name);
  const pieces = createRandomModel({ ...DEFAULT_RANDOM_MODEL, layers: 2, ...options });
  writeFileSync(path, Buffer.concat([...pieces].map((piece) => piece.slice())));
  return path;
}

/** The small model of most tests. */
export const model: string = writeRandomModel("model.gguf");
