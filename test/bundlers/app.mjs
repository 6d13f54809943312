// A program that uses the package as users get it, packed and installed; runs its builds.
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { MODEL } from "../runtimes/checks.mjs";

export const MODEL_PATH = fileURLToPath(MODEL);

const HERE = fileURLToPath(new URL(".", import.meta.url));
const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const LIMIT_MS = 120_000;

/** Links every package of one folder of packages into another. */
function linkPackages(from, to) {
  for (const name of readdirSync(from)) {
    if (name.startsWith(".") || name === "plm-wasm") continue;
    if (name.startsWith("@")) {
      mkdirSync(join(to, name), { recursive: true });
      linkPackages(join(from, name), join(to, name));
    } else {
      symlinkSync(join(from, name), join(to, name));
    }
  }
}

/** A folder that is removed when this process ends. */
function makeFolder() {
  const folder = mkdtempSync(join(tmpdir(), "plm-wasm-bundlers-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/**
 * The program's folder, `root`, with the packages of `bundler` (a folder of this one) beside
 * plm-wasm; and `out`, a folder where no package is found, for builds.
 */
export function makeApp(bundler = "") {
  const [root, out] = [makeFolder(), makeFolder()];
  cpSync(join(HERE, "app"), root, { recursive: true });
  const packages = join(root, "node_modules");
  const installed = join(packages, "plm-wasm");
  mkdirSync(installed, { recursive: true });
  const packing = ["pack", "--ignore-scripts", "--silent", "--pack-destination", root];
  const tarball = execFileSync("npm", packing, { cwd: ROOT, encoding: "utf8" }).trim();
  execFileSync("tar", ["-xzf", tarball, "-C", installed, "--strip-components=1"], { cwd: root });
  for (const scope of ["@assemblyscript", "@huggingface", "@noble"]) {
    mkdirSync(join(packages, scope));
    linkPackages(join(ROOT, "node_modules", scope), join(packages, scope));
  }
  linkPackages(join(HERE, bundler, "node_modules"), packages);
  return { root, out };
}

/** Runs a program to its end; returns its output. Rejects with all output if it fails. */
export async function run(file, args, options) {
  try {
    return (await promisify(execFile)(file, args, { timeout: LIMIT_MS, ...options })).stdout;
  } catch (error) {
    throw new Error(`${file} ${args.join(" ")}: ${error.message}\n${error.stdout}${error.stderr}`);
  }
}

/** What the unbundled program finds. */
export function expectedIn({ root }) {
  const path = join(root, "plain.mjs");
  const found = JSON.parse(execFileSync(process.execPath, [path, MODEL_PATH], { cwd: root }));
  assert.deepEqual([found.threads, found.inWorker.threads], [2, 2]);
  return found;
}

/** Threads and workers must start, and the text must be that of the unbundled program. */
export function assertThreads(found, expected) {
  assert.deepEqual(found, expected);
}

/** One thread must make the same text, no worker start, and the failures must give advice. */
export function assertAdvice(found, { text }) {
  assert.deepEqual([found.threads, found.text], [1, text]);
  assert.match(found.failure, /build plm-wasm\/thread as well.*`threadScript`/);
  assert.match(found.inWorker.error, /build plm-wasm\/worker as well.*`worker`/);
}
