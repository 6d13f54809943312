// A large model from a server into the store of Chromium: loaded once half-way and killed, then to
// the end, then without the server. By hand: node stored.mjs /usr/bin/chromium MODEL.gguf
import assert from "node:assert/strict";
import { createReadStream, mkdtempSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import puppeteer from "puppeteer-core";
import { serve } from "./server.mjs";

const [executablePath, model] = process.argv.slice(2);
const { size } = statSync(model);
const LIMIT_MS = 300_000;
/** Bytes that may be on their way when a tab is killed. */
const ON_THE_WAY_BYTES = 64 << 20;

/** Serves the model by ranges to any origin; counts the bytes that were requested. */
function serveModel() {
  let sentBytes = 0;
  const server = createServer((request, response) => {
    response.setHeader("Access-Control-Allow-Origin", "*");
    response.setHeader("Access-Control-Allow-Headers", "range");
    response.setHeader("Access-Control-Expose-Headers", "content-range, etag");
    response.setHeader("Cross-Origin-Resource-Policy", "cross-origin");
    if (request.method === "OPTIONS") return response.end();
    const [, from = "0", to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
    const [start, end] = [Number(from), to ? Number(to) : size - 1];
    response.writeHead(206, {
      ETag: '"large"',
      "Content-Length": end - start + 1,
      "Content-Range": `bytes ${start}-${end}/${size}`,
    });
    const file = createReadStream(model, { start, end, highWaterMark: 1 << 20 });
    file.on("data", (piece) => (sentBytes += piece.length));
    response.on("close", () => file.destroy());
    return file.pipe(response);
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const url = `http://127.0.0.1:${server.address().port}/${basename(model)}`;
      const close = () => server.close().closeAllConnections();
      resolve({ url, close, sent: () => sentBytes });
    });
  });
}

/** A browser whose profile stays. */
function launch(userDataDir) {
  const args = ["--no-sandbox", "--disable-quic"];
  return puppeteer.launch({ executablePath, userDataDir, args });
}

async function openPage(browser, origin) {
  const page = await browser.newPage();
  page.setDefaultTimeout(LIMIT_MS);
  await page.goto(`${origin}/test/runtimes/stored.html`);
  await page.waitForFunction("globalThis.stored");
  return page;
}

/** Loads the model in the page; resolves to a text and to what loading took. */
function load(page, url) {
  return page.evaluate((url) => globalThis.stored(url), url);
}

const profile = mkdtempSync(join(tmpdir(), "plm-stored-"));
const models = await serveModel();
const site = await serve({ isIsolated: true, connect: new URL(models.url).origin });
try {
  const browser = await launch(profile);
  const first = await openPage(browser, site.origin);
  load(first, models.url).catch(() => {});
  await first.waitForFunction("globalThis.fraction > 0.5");
  const devtools = await first.createCDPSession();
  devtools.send("Page.crash").catch(() => {});
  await new Promise((resolve) => first.once("error", resolve));
  const sentBefore = models.sent();
  console.log(`killed after ${(sentBefore / 1e6).toFixed()} MB of ${(size / 1e6).toFixed()}`);

  const second = await openPage(browser, site.origin);
  const resumed = await load(second, models.url);
  const sentAfter = models.sent() - sentBefore;
  console.log(`resumed with ${(sentAfter / 1e6).toFixed()} MB, ${resumed.seconds.toFixed(1)} s`);
  assert.ok(sentBefore + sentAfter < size + ON_THE_WAY_BYTES, "only what is missing");
  await browser.close();
  models.close();

  const other = await launch(profile);
  const stored = await load(await openPage(other, site.origin), models.url);
  console.log(`from the store, without the server: ${stored.seconds.toFixed(1)} s`);
  assert.equal(stored.text, resumed.text);
  console.log(JSON.stringify(stored.text));
  await other.close();
} finally {
  models.close();
  site.close();
  rmSync(profile, { recursive: true, force: true });
}
