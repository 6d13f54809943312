// Where each runtime is installed, and the commands that run the checks in it.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { findMiniBrowser } from "./webdriver.mjs";

const pathOf = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const installed = (path) => pathOf(`node_modules/${path}`);

/** This machine's name in the packages of Deno and Bun. */
const system = `${process.platform}-${process.arch}`;
const denoSystem = process.platform === "linux" ? `${system}-glibc` : system;
const bunSystem = system.replace("arm64", "aarch64");

/** A Node of this major version: the running one, or the installed one. */
function findNode(major) {
  const isPresent = process.versions.node.startsWith(`${major}.`);
  return isPresent ? process.execPath : installed(`node${major}/bin/node`);
}

/**
 * By name: `title` as people know it; `commands`, each a program and its arguments, which print a
 * last line "N passed, N failed", and `program`, which says its version, unless a command prints a
 * line "version N"; or `missing`, the name of what is not installed.
 */
export function runtimes() {
  const node24 = findNode(24);
  const deno = installed(`@deno/${denoSystem}/deno`);
  const denoArgs = ["run", "--no-remote", "--node-modules-dir=manual"];
  const bun = installed(`@oven/bun-${bunSystem}/bin/bun`);
  const chromium = process.env.CHROMIUM_PATH ?? "/usr/bin/chromium";
  const firefox = process.env.FIREFOX_PATH ?? "/usr/bin/firefox-esr";
  const browser = (title, ...args) =>
    runtime(title, [args[1], node24], [[node24, pathOf("browser.mjs"), ...args]]);
  const node = (major) => scripts("Node", [findNode(major)]);
  const miniBrowser = findMiniBrowser() ?? "MiniBrowser";
  const workerd = installed("workerd/bin/workerd");
  return {
    node20: node(20),
    node22: node(22),
    node24: node(24),
    node26: node(26),
    deno: scripts("Deno", [deno, ...denoArgs, "--allow-read"], [deno, ...denoArgs, "--allow-all"]),
    bun: scripts("Bun", [bun]),
    chromium: browser("Chromium", "chrome", chromium),
    firefox: browser("Firefox", "firefox", firefox),
    webkit: runtime("WebKitGTK", [miniBrowser, node24], [[node24, pathOf("webkit.mjs")]]),
    workerd: runtime("workerd", [workerd, node24], [[node24, pathOf("workerd.mjs")]]),
  };
}

/**
 * A runtime that runs scripts: the checks, then the example, which this Node checks, then the
 * threads that remain, which may need more permissions.
 */
function scripts(title, command, permitted = command) {
  const example = [process.execPath, pathOf("example.mjs"), ...command];
  const threads = [...permitted, pathOf("threads.mjs")];
  const entry = [...command, pathOf("entry.mjs")];
  return runtime(title, [command[0]], [entry, example, threads]);
}

function runtime(title, needed, commands) {
  const path = needed.find((each) => !existsSync(each));
  if (path !== undefined) return { title, missing: `${path} is not there` };
  return { title, program: needed[0], commands };
}
