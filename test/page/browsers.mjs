// The browsers that drive the page, and pages of them that must not fail.
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import puppeteer from "puppeteer-core";

const LIMIT_MS = 60_000;

const PATHS = {
  chromium: process.env.CHROMIUM_PATH ?? "/usr/bin/chromium",
  firefox: process.env.FIREFOX_PATH ?? "/usr/bin/firefox-esr",
};

export const BROWSERS = Object.keys(PATHS);

/** Whether a browser is installed. */
export function isInstalled(name) {
  return existsSync(PATHS[name]);
}

/** Starts a browser in a profile of its own; `preferences` are Firefox's. */
export async function launch(name, { preferences = {} } = {}) {
  // Firefox refuses a home that is not the user's own.
  const home = mkdtempSync(join(tmpdir(), "plm-wasm-page-"));
  process.on("exit", () => rmSync(home, { recursive: true, force: true }));
  return puppeteer.launch({
    browser: name === "chromium" ? "chrome" : name,
    executablePath: PATHS[name],
    timeout: LIMIT_MS,
    env: { ...process.env, HOME: home },
    extraPrefsFirefox: preferences,
    args: name === "chromium" ? ["--no-sandbox", "--disable-quic"] : [],
  });
}

/**
 * Opens a page in a context of its own, with an empty storage, unless `context` is that of an
 * earlier one. `errors` collects what the page reports; a test says at its end that there are none.
 */
export async function openPage(browser, url, { context, size, scheme, script } = {}) {
  const own = context ?? (await browser.createBrowserContext());
  const page = await own.newPage();
  page.setDefaultTimeout(LIMIT_MS);
  const errors = [];
  page.on("pageerror", ({ message }) => errors.push(message));
  page.on("console", (message) => {
    if (message.type() === "error")
      errors.push(`${message.text()} ${message.location().url ?? ""}`);
  });
  await page.setViewport({ width: 1280, height: 800, ...size });
  if (scheme) await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  if (script) await page.evaluateOnNewDocument(script);
  await page.goto(url);
  return { page, context: own, errors };
}

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Fails for what axe finds in a page as it is now. */
export async function assertAccessible(page, what) {
  await page.evaluate(`${AXE}; undefined`);
  const found = await page.evaluate(async () => {
    const { violations } = await globalThis.axe.run(document);
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`);
  });
  assert.deepEqual(found, [], what);
}

/** Fails for a page that is wider than its window. */
export async function assertFits(page, what) {
  const [wide, most] = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return [scrollWidth, clientWidth];
  });
  assert.ok(wide <= most, `${what}: expected at most ${most} pixels, got ${wide}`);
}
