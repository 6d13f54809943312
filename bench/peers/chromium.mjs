// An engine in a page of its own Chromium: the same calls as an engine in Node.
import { chromium } from "playwright-core";
import { serve } from "./server.mjs";

const START_LIMIT_MS = 60_000;

/** Loads spec.module in a page; one thread if the page is not isolated. */
export async function load({ model, threads, ...spec }) {
  const { origin, close } = await serve();
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? "/usr/bin/chromium",
    timeout: START_LIMIT_MS,
    args: ["--disable-quic"],
  });
  const page = await browser.newPage();
  const failed = new Promise((_, reject) => {
    page.on("pageerror", reject);
    page.on("crash", () => reject(new Error("the page crashed")));
  });
  failed.catch(() => {});

  /** Calls a function of page.mjs; also rejects if anything in the page fails. */
  const call = (name, ...args) => {
    const result = page.evaluate(([name, args]) => peers[name](...args), [name, args]);
    return Promise.race([failed, result]);
  };

  await page.goto(`${origin}/bench/peers/page.html`, { timeout: START_LIMIT_MS });
  await page.waitForFunction("globalThis.peers", undefined, { timeout: START_LIMIT_MS });
  await page.setInputFiles("#model", model);
  const isIsolated = await page.evaluate("crossOriginIsolated");
  const about = await call("load", { ...spec, threads: isIsolated ? threads : 1 });
  return {
    about: { ...about, chromium: browser.version() },
    prefill: (prompt) => call("prefill", prompt),
    decode: (context, steps) => call("decode", context, steps),
    async close() {
      await browser.close();
      close();
    },
  };
}
