// The conformance checks and examples/browser in WebKitGTK, of Debian's packages webkit2gtk-driver
// and xvfb: node webkit.mjs
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { expectedText, MODEL, PROMPT, runChecks, SAVED } from "./checks.mjs";
import { serve } from "./server.mjs";
import { openBrowser } from "./webdriver.mjs";
import { bundleWorker } from "./worker-bundle.mjs";

const paths = (...urls) => urls.map((url) => fileURLToPath(url)).join("\n");

async function runConformancePage(browser, { origin, isIsolated }, counts) {
  await browser.open(`${origin}/test/runtimes/page.html`);
  await browser.until("globalThis.isReady");
  await browser.type("#file", paths(MODEL, SAVED));
  const { passed, failed } = await browser.until("globalThis.counts ?? errors.length > 0");
  for (const line of await browser.evaluate("lines")) console.log(line);
  assert.deepEqual(await browser.evaluate("errors"), []);
  assert.equal(await browser.evaluate("crossOriginIsolated"), isIsolated);
  counts.passed += passed;
  counts.failed += failed;
}

async function runExamplePage(browser, { origin }) {
  await browser.open(`${origin}/examples/browser/index.html`);
  await browser.until("!document.querySelector('#go').disabled");
  await browser.type("#file", paths(MODEL));
  await browser.clear("#prompt");
  await browser.type("#prompt", PROMPT);
  await browser.click("#go");
  await browser.until("document.querySelector('#status').textContent === 'Done'");
  // No relaxed SIMD there.
  const expected = await expectedText(MODEL, 64, { variant: "simd" });
  assert.equal(await browser.evaluate("document.querySelector('#text').textContent"), expected);
}

await bundleWorker();
const plain = { ...(await serve()), isIsolated: false };
const isolated = { ...(await serve({ isIsolated: true })), isIsolated: true };
// Safari has it on isolated pages; WebKitGTK only so.
const browser = await openBrowser({ JSC_useSharedArrayBuffer: "1" });
console.log(`version ${browser.version}`);
const { failed } = await runChecks({
  "the page has no error under its policy": (counts) => runConformancePage(browser, plain, counts),
  "a cross-origin isolated page has threads": (counts) =>
    runConformancePage(browser, isolated, counts),
  "examples/browser": () => runExamplePage(browser, plain),
  "examples/browser, cross-origin isolated": () => runExamplePage(browser, isolated),
});
process.exit(failed === 0 ? 0 : 1);
