// Serves the repository's files unchanged, to pages under a strict content security policy.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname } from "node:path";

const ROOT = new URL("../../", import.meta.url);

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".wasm": "application/wasm",
};

/**
 * The site's scripts, wasm, the page's inline scripts by their hashes, and requests to `connect`;
 * nothing else.
 */
function policyOf(html, connect) {
  const hashes = [...html.matchAll(/<script[^>]*>(.*?)<\/script>/gs)].map(
    ([, text]) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`,
  );
  const scripts = `script-src 'self' 'wasm-unsafe-eval' ${hashes.join(" ")}`;
  return `default-src 'none'; connect-src ${connect}; ${scripts}`;
}

/** Headers that make pages cross-origin isolated, so that their threads can share memory. */
const ISOLATION = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

async function answer(request, response, { isIsolated = false, connect = "'none'" }) {
  const { pathname } = new URL(request.url, "http://localhost");
  const type = TYPES[extname(pathname)];
  try {
    if (type === undefined) throw new Error(`no type for ${pathname}`);
    const body = await readFile(new URL(`.${pathname}`, ROOT));
    response.setHeader("content-type", type);
    if (isIsolated) {
      for (const [name, value] of Object.entries(ISOLATION)) response.setHeader(name, value);
    }
    if (pathname.endsWith(".html")) {
      response.setHeader("content-security-policy", policyOf(body.toString(), connect));
    }
    response.end(body);
  } catch {
    response.writeHead(404).end();
  }
}

/** Listens on a free local port; resolves to the origin and a function that ends the server. */
export function serve(options = {}) {
  return new Promise((resolve) => {
    const server = createServer((request, response) => answer(request, response, options));
    server.listen(0, "127.0.0.1", () => {
      const close = () => server.close().closeAllConnections();
      resolve({ origin: `http://127.0.0.1:${server.address().port}`, close });
    });
  });
}
