// The conformance checks and examples/browser in headless Chromium: node chromium.mjs
// /path/to/chromium
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { MODEL, PROMPT, runChecks } from "./checks.mjs";
import { serve } from "./server.mjs";

const LIMIT_MS = 60_000;

/**
 * A page that nothing may go wrong in: `failed` rejects on an error, a violated policy included.
 */
async function openPage(context, url) {
  const page = await context.newPage();
  page.setDefaultTimeout(LIMIT_MS);
  const failed = new Promise((_, reject) => {
    page.on("pageerror", reject);
    page.on("console", (message) => {
      const { url: at } = message.location();
      if (message.type() === "error" && !at.endsWith("/favicon.ico")) {
        reject(new Error(`${message.text()} ${at}`));
      }
    });
  });
  failed.catch(() => {});
  const opened = page.goto(url);
  return { page, failed, opened };
}

/** Prints the page's lines; the object at their end has the counts. */
async function runConformancePage(context, { origin, isIsolated }, counts) {
  const { page, failed, opened } = await openPage(context, `${origin}/test/runtimes/chromium.html`);
  const ended = page.waitForEvent("console", (message) => {
    if (message.text().startsWith("{")) return true;
    console.log(message.text());
    return false;
  });
  const use = async () => {
    await opened;
    await page.setInputFiles("#file", fileURLToPath(MODEL));
    await ended;
  };
  await Promise.race([failed, use()]);
  const { passed, failed: failures } = JSON.parse((await ended).text());
  assert.equal(await page.evaluate("crossOriginIsolated"), isIsolated);
  counts.passed += passed;
  counts.failed += failures;
}

async function runExamplePage(context, origin) {
  const { page, failed, opened } = await openPage(context, `${origin}/examples/browser/index.html`);
  const use = async () => {
    await opened;
    await page.setInputFiles("#file", fileURLToPath(MODEL));
    await page.fill("#prompt", PROMPT);
    await page.click("#go");
    await page.getByText("Continue").waitFor();
    assert.equal(await page.textContent("#status"), "Done");
    const expected = await page.evaluate(async () => {
      const { expectedText } = await import("/test/runtimes/checks.mjs");
      return expectedText(document.querySelector("#file").files[0], 64);
    });
    assert.equal(await page.textContent("#text"), expected);
  };
  await Promise.race([failed, use()]);
}

const plain = await serve();
const isolated = await serve({ isIsolated: true });
const profile = mkdtempSync(join(tmpdir(), "plm-wasm-chromium-"));
process.on("exit", () => rmSync(profile, { recursive: true, force: true }));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.argv[2],
  timeout: LIMIT_MS,
  args: ["--disable-quic"],
});
try {
  await runChecks({
    "the page has no error under its policy": (counts) =>
      runConformancePage(context, { ...plain, isIsolated: false }, counts),
    "a cross-origin isolated page has threads": (counts) =>
      runConformancePage(context, { ...isolated, isIsolated: true }, counts),
    "examples/browser": () => runExamplePage(context, plain.origin),
    "examples/browser, cross-origin isolated": () => runExamplePage(context, isolated.origin),
  });
} finally {
  await context.close();
  plain.close();
  isolated.close();
}
