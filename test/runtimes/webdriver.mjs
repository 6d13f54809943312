// WebKitGTK through its WebDriver (W3C WebDriver by fetch), on a display of its own.
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

const LIMIT_MS = 60_000;
const POLL_MS = 100;
const LIB = { x64: "/usr/lib/x86_64-linux-gnu", arm64: "/usr/lib/aarch64-linux-gnu" }[process.arch];

/** WebKitGTK's browser for tests, of Debian's webkit2gtk-driver; undefined where there is none. */
export function findMiniBrowser() {
  try {
    const name = readdirSync(LIB).find((each) => /^webkit(2gtk-4|gtk-6)/.test(each));
    return name && join(LIB, name, "MiniBrowser");
  } catch {
    return undefined;
  }
}

const ended = [];
process.on("exit", () => {
  for (const end of ended.reverse()) end();
});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));

/** Starts a program that ends with this process. */
function start(file, args, options) {
  const child = spawn(file, args, { detached: true, ...options });
  const failed = new Promise((_, reject) => child.on("error", reject));
  failed.catch(() => {});
  ended.push(() => {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // It has ended.
    }
  });
  return { child, failed };
}

/** The name of a new display. */
async function startDisplay() {
  const args = ["-displayfd", "3", "-screen", "0", "1024x768x24", "-nolisten", "tcp"];
  const stdio = ["ignore", "ignore", "ignore", "pipe"];
  const { child, failed } = start("Xvfb", args, { stdio });
  const number = new Promise((resolve, reject) => {
    let text = "";
    child.stdio[3].on("data", (chunk) => {
      text += chunk;
      if (text.includes("\n")) resolve(`:${text.trim()}`);
    });
    child.on("exit", () => reject(new Error("Xvfb ended")));
  });
  return Promise.race([number, failed]);
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Starts the driver; resolves to a function that makes a request. */
async function startDriver(env) {
  const port = await freePort();
  const { failed } = start("WebKitWebDriver", [`--port=${port}`], { env, stdio: "ignore" });
  const call = async (method, path, body) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(LIMIT_MS),
    });
    const { value } = await response.json();
    if (!response.ok) throw new Error(`${method} ${path}: ${value?.error}: ${value?.message}`);
    return value;
  };
  const isUp = async () => {
    while (!(await call("GET", "/status").catch(() => false))) await setTimeout(POLL_MS);
  };
  await Promise.race([isUp(), failed]);
  return call;
}

/** Opens the browser; `env` adds to its environment. */
export async function openBrowser(env = {}) {
  const home = mkdtempSync(join(tmpdir(), "plm-wasm-webkit-"));
  ended.push(() => rmSync(home, { recursive: true, force: true }));
  const own = { DISPLAY: await startDisplay(), HOME: home, XDG_RUNTIME_DIR: home };
  const call = await startDriver({ ...process.env, ...own, ...env });
  const { sessionId, capabilities } = await call("POST", "/session", {
    capabilities: {
      alwaysMatch: {
        "webkitgtk:browserOptions": { binary: findMiniBrowser(), args: ["--automation"] },
        timeouts: { script: LIMIT_MS, pageLoad: LIMIT_MS, implicit: 0 },
      },
    },
  });
  const session = `/session/${sessionId}`;
  const elementOf = async (selector) => {
    const using = { using: "css selector", value: selector };
    const [id] = Object.values(await call("POST", `${session}/element`, using));
    return `${session}/element/${id}`;
  };
  /** The value of an expression in the page. */
  const evaluate = (expression) =>
    call("POST", `${session}/execute/sync`, { script: `return ${expression}`, args: [] });
  return {
    version: capabilities.browserVersion,
    evaluate,
    open: (url) => call("POST", `${session}/url`, { url }),
    type: async (selector, text) => call("POST", `${await elementOf(selector)}/value`, { text }),
    clear: async (selector) => call("POST", `${await elementOf(selector)}/clear`, {}),
    click: async (selector) => call("POST", `${await elementOf(selector)}/click`, {}),
    /** Waits until an expression is true, and resolves to its value. */
    async until(expression) {
      for (const endMs = performance.now() + LIMIT_MS; performance.now() < endMs; ) {
        const value = await evaluate(expression);
        if (value) return value;
        await setTimeout(POLL_MS);
      }
      throw new Error(`not within ${LIMIT_MS / 1000} s: ${expression}`);
    },
  };
}
