// Serves the repository's files to pages of this machine, with the headers that threads need.
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

const HEADERS = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-resource-policy": "same-origin",
};

/** The targets of the build's bare names. An import map would not reach into workers. */
const NAMES = {
  "#platform": "/build/src/platform/web.js",
  "@assemblyscript/loader": "/node_modules/@assemblyscript/loader/index.js",
};

const withPaths = (script) =>
  script.replace(/\b(from|import)( ?\(?)"([@#][\w/-]+)"/g, (whole, word, space, name) =>
    name in NAMES ? `${word}${space}"${NAMES[name]}"` : whole,
  );

async function answer(request, response) {
  const { pathname } = new URL(request.url, "http://localhost");
  const type = TYPES[extname(pathname)];
  try {
    if (type === undefined) throw new Error(`no type for ${pathname}`);
    const body = await readFile(new URL(`.${pathname}`, ROOT));
    response.writeHead(200, { ...HEADERS, "content-type": type });
    response.end(pathname.startsWith("/build/src/") ? withPaths(body.toString()) : body);
  } catch {
    response.writeHead(404).end();
  }
}

/** Listens on a free local port; resolves to the origin and a function that ends the server. */
export function serve() {
  return new Promise((resolve) => {
    const server = createServer(answer);
    server.listen(0, "127.0.0.1", () => {
      const close = () => server.close().closeAllConnections();
      resolve({ origin: `http://127.0.0.1:${server.address().port}`, close });
    });
  });
}
