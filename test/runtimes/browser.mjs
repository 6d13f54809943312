// The conformance checks and examples/browser in a headless browser:
// node browser.mjs chrome /usr/bin/chromium, or node browser.mjs firefox /usr/bin/firefox-esr
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import puppeteer from "puppeteer-core";
import { MODEL, PROMPT, runChecks, SAVED } from "./checks.mjs";
import { serve } from "./server.mjs";
import { bundleWorker } from "./worker-bundle.mjs";

const LIMIT_MS = 60_000;

/**
 * A page that must not fail: `failed` rejects on any error, including a policy violation.
 */
async function openPage(browser, url) {
  const page = await browser.newPage();
  page.setDefaultTimeout(LIMIT_MS);
  const failed = new Promise((_, reject) => {
    const fail = (error) => {
      // Browsers request it by themselves, and may report that the policy forbids it.
      if (!error.message.includes("/favicon.ico")) reject(error);
    };
    page.on("pageerror", fail);
    page.on("console", (message) => {
      if (message.type() !== "error") return;
      fail(new Error(`${message.text()} ${message.location().url ?? ""}`));
    });
  });
  failed.catch(() => {});
  return { page, failed, opened: page.goto(url) };
}

async function chooseFiles(page, ...urls) {
  await (await page.waitForSelector("#file")).uploadFile(...urls.map((url) => fileURLToPath(url)));
}

const textOf = (page, selector) => page.$eval(selector, (element) => element.textContent);

/** Prints the page's lines; the object at the end has the counts. */
async function runConformancePage(browser, { origin, isIsolated }, counts) {
  const { page, failed, opened } = await openPage(browser, `${origin}/test/runtimes/page.html`);
  const ended = new Promise((resolve) => {
    page.on("console", (message) => {
      if (message.text().startsWith("{")) resolve(JSON.parse(message.text()));
      else console.log(message.text());
    });
  });
  const use = async () => {
    await opened;
    await chooseFiles(page, MODEL, SAVED);
    return ended;
  };
  const { passed, failed: failures } = await Promise.race([failed, use()]);
  assert.equal(await page.evaluate("crossOriginIsolated"), isIsolated);
  counts.passed += passed;
  counts.failed += failures;
  await page.close();
}

async function runExamplePage(browser, { origin }) {
  const { page, failed, opened } = await openPage(browser, `${origin}/examples/browser/index.html`);
  const use = async () => {
    await opened;
    await chooseFiles(page, MODEL);
    await page.locator("#prompt").fill(PROMPT);
    await page.click("#go");
    await page.waitForFunction(() => document.querySelector("#status").textContent === "Done");
    assert.equal(await textOf(page, "#go"), "Continue");
    const expected = await page.evaluate(async () => {
      const { expectedText } = await import("/test/runtimes/checks.mjs");
      return expectedText(document.querySelector("#file").files[0], 64);
    });
    assert.equal(await textOf(page, "#text"), expected);
  };
  await Promise.race([failed, use()]);
  await page.close();
}

const [name, executablePath] = process.argv.slice(2);
await bundleWorker();
const plain = { ...(await serve()), isIsolated: false };
const isolated = { ...(await serve({ isIsolated: true })), isIsolated: true };
// Firefox refuses a home that is not the user's own.
const home = mkdtempSync(join(tmpdir(), "plm-wasm-browser-"));
process.on("exit", () => rmSync(home, { recursive: true, force: true }));
const browser = await puppeteer.launch({
  browser: name,
  executablePath,
  timeout: LIMIT_MS,
  env: { ...process.env, HOME: home },
  args: name === "chrome" ? ["--no-sandbox", "--disable-quic"] : [],
});
try {
  await runChecks({
    "the page has no error under its policy": (counts) =>
      runConformancePage(browser, plain, counts),
    "a cross-origin isolated page has threads": (counts) =>
      runConformancePage(browser, isolated, counts),
    "examples/browser": () => runExamplePage(browser, plain),
    "examples/browser, cross-origin isolated": () => runExamplePage(browser, isolated),
  });
} finally {
  await browser.close();
  plain.close();
  isolated.close();
}
