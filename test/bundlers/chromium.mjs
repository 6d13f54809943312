// Looks at built pages in headless Chromium.
import { createReadStream } from "node:fs";
import { access } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { chromium } from "playwright-core";
import { MODEL_PATH } from "./app.mjs";

const LIMIT_MS = 30_000;
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript" };

/** Headers that make pages cross-origin isolated, so that their threads can share memory. */
export const ISOLATION = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

export const CHROMIUM = process.env.CHROMIUM_PATH ?? "/usr/bin/chromium";

/** Serves a folder, and the model as /plm-test.gguf. */
async function serve(root) {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const path = pathname === "/plm-test.gguf" ? MODEL_PATH : join(root, pathname);
    const type = TYPES[extname(path)] ?? "application/octet-stream";
    try {
      await access(path);
      response.writeHead(200, { "content-type": type, ...ISOLATION });
      createReadStream(path).pipe(response);
    } catch {
      response.writeHead(404, ISOLATION).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () => server.close().closeAllConnections();
  return { origin: `http://127.0.0.1:${server.address().port}`, close };
}

/** What a page of a running server finds. */
export async function lookAt(url) {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--disable-quic"] });
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(LIMIT_MS);
    await page.goto(url);
    await page.waitForFunction(() => document.title !== "");
    return JSON.parse(await page.title());
  } finally {
    await browser.close();
  }
}

/** What a page in a folder finds. */
export async function lookInto(root, name = "index.html") {
  const { origin, close } = await serve(root);
  try {
    return await lookAt(`${origin}/${name}`);
  } finally {
    close();
  }
}
