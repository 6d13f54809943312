// Examples as they are deployed: a folder with an example's files and the packages it imports.
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const pathOf = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const ROOT = pathOf("../../");

/** The model that ships. */
export const MODEL = pathOf("../../models/plm-tiny.gguf");

const PACKAGES = {
  "plm-wasm": ROOT,
  hono: join(ROOT, "node_modules/hono"),
  "@vercel/functions": pathOf("node_modules/@vercel/functions"),
  "@vercel/oidc": pathOf("node_modules/@vercel/oidc"),
};

/** Copies an example; the folder is removed when this process ends. */
export function deploy(example) {
  const root = mkdtempSync(join(tmpdir(), "plm-wasm-serverless-"));
  process.on("exit", () => rmSync(root, { recursive: true, force: true }));
  cpSync(join(ROOT, "examples", example), root, { recursive: true });
  writeFileSync(join(root, "package.json"), JSON.stringify({ type: "module" }));
  for (const [name, path] of Object.entries(PACKAGES)) {
    const link = join(root, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(path, link);
  }
  return root;
}

/** A site that has a file of a model once it is added; until then, and for others, 404. */
export async function startSite(model) {
  let isThere = false;
  const server = createServer((request, response) => {
    const isModel = isThere && request.url === "/model.gguf";
    response.writeHead(isModel ? 200 : 404, { "accept-ranges": "none" });
    response.end(isModel ? model : "");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/model.gguf`,
    addModel: () => {
      isThere = true;
    },
    close: () => server.close(),
  };
}
