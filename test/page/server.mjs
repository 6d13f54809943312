// Serves a built page as a static host does, and models over connections that are slow or break.
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".gguf": "application/octet-stream",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
};

/** Headers that make pages cross-origin isolated, so that their threads can share memory. */
const ISOLATION = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

/** What a page may load: its own files, and nothing that is made from text. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self' blob:",
  "worker-src 'self'",
  "manifest-src 'self'",
].join("; ");

/** Bytes of a slow connection at a time. */
const DRIP_BYTES = 64 << 10;

/** The range of bytes that a request asks for. */
function rangeOf({ headers }, size) {
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? "") ?? [];
  if (from === undefined) return undefined;
  return { start: Number(from), end: to === "" ? size - 1 : Math.min(Number(to), size - 1) };
}

/**
 * Serves the files of a folder, and below /models/ the file `model`: as it is, slowly as
 * /models/slow.gguf, and as /models/broken.gguf over connections that end in the middle.
 * Resolves to the origin, to how many bytes of models were sent, and to what ends it.
 */
export async function serve(folder, { model, isIsolated = false, dripMs = 20 }) {
  const sent = { bytes: 0 };
  const answer = async (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const name = pathname.endsWith("/") ? `${pathname}index.html` : pathname;
    const isModel = name.startsWith("/models/");
    const path = isModel ? model : join(folder, normalize(name));
    const { size } = statSync(path);
    response.setHeader("content-type", TYPES[extname(name)] ?? "application/octet-stream");
    response.setHeader("content-security-policy", POLICY);
    response.setHeader("accept-ranges", "bytes");
    response.setHeader("etag", `"${size}"`);
    if (isIsolated) {
      for (const [key, value] of Object.entries(ISOLATION)) response.setHeader(key, value);
    }
    const range = rangeOf(request, size);
    const { start, end } = range ?? { start: 0, end: size - 1 };
    if (range) response.setHeader("content-range", `bytes ${start}-${end}/${size}`);
    response.writeHead(range ? 206 : 200, { "content-length": `${end - start + 1}` });
    if (request.method === "HEAD") return response.end();
    let left = name.endsWith("broken.gguf") ? Math.floor((end - start) / 2) : Infinity;
    for await (const chunk of createReadStream(path, { start, end, highWaterMark: DRIP_BYTES })) {
      if (name.endsWith("slow.gguf")) await sleep(dripMs);
      if (response.destroyed) return;
      response.write(chunk);
      if (isModel) sent.bytes += chunk.length;
      left -= chunk.length;
      if (left <= 0) return response.destroy();
    }
    response.end();
  };
  const server = createServer((request, response) => {
    answer(request, response).catch(() => {
      if (!response.headersSent) response.writeHead(404);
      response.end();
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () => server.close().closeAllConnections();
  return { origin: `http://127.0.0.1:${server.address().port}`, sent, close };
}
