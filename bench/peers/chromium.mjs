// Pages in a Chromium of their own, and an engine in one: the same calls as an engine in Node.
import { chromium } from "playwright-core";
import { serve } from "./server.mjs";

const START_LIMIT_MS = 60_000;

/**
 * Opens one of the repository's pages, whose `#model` input gets the model. `call` calls a function
 * of the global object that the page's script sets; it also rejects if anything in the page fails.
 */
export async function openPage(path, globalName, model) {
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

  const call = (name, ...args) => {
    const result = page.evaluate(
      ([globalName, name, args]) => globalThis[globalName][name](...args),
      [globalName, name, args],
    );
    return Promise.race([failed, result]);
  };

  await page.goto(`${origin}/${path}`, { timeout: START_LIMIT_MS });
  const isReady = `globalThis.${globalName}`;
  await page.waitForFunction(isReady, undefined, { timeout: START_LIMIT_MS });
  await page.setInputFiles("#model", model);
  return {
    page,
    call,
    version: browser.version(),
    async close() {
      await browser.close();
      close();
    },
  };
}

/** Loads spec.module in a page; one thread if the page is not isolated. */
export async function load({ model, threads, ...spec }) {
  const { page, call, version, close } = await openPage("bench/peers/page.html", "peers", model);
  const isIsolated = await page.evaluate("crossOriginIsolated");
  const about = await call("load", { ...spec, threads: isIsolated ? threads : 1 });
  return {
    about: { ...about, chromium: version },
    prefill: (prompt) => call("prefill", prompt),
    decode: (context, steps) => call("decode", context, steps),
    close,
  };
}
