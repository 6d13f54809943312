// Vite: libraries and server programs for Node, pages built and served.
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { build, createServer } from "vite";
import { assertAdvice, assertThreads, MODEL_PATH, run } from "./app.mjs";
import { ISOLATION, lookAt, lookInto } from "./chromium.mjs";

const ENTRIES = ["main.mjs", "plain.mjs", "plm-thread.mjs", "plm-worker.mjs"];

/** Builds, and returns the folder. */
async function bundle({ root, out }, name, { build: options, ...rest }) {
  const outDir = join(out, name);
  const base = { root, configFile: false, logLevel: "warn" };
  await build({ ...base, ...rest, build: { outDir, emptyOutDir: true, ...options } });
  return outDir;
}

async function find(folder, name) {
  return JSON.parse(await run(process.execPath, [join(folder, name), MODEL_PATH]));
}

export default (app, expected) => ({
  "vite build --lib, run by Node": async () => {
    const entry = ENTRIES.map((name) => join(app.root, name));
    const lib = { entry, formats: ["es"], fileName: (_format, name) => `${name}.mjs` };
    const folder = await bundle(app, "vite-lib", { build: { lib } });
    assertThreads(await find(folder, "main.mjs"), expected);
    assertAdvice(await find(folder, "plain.mjs"), expected);
  },
  "vite build --ssr, everything bundled": async () => {
    const input = ENTRIES.map((name) => join(app.root, name));
    const rolldownOptions = { input, output: { entryFileNames: "[name].mjs" } };
    const options = { ssr: { noExternal: true }, build: { ssr: true, rolldownOptions } };
    const folder = await bundle(app, "vite-ssr", options);
    assertThreads(await find(folder, "main.mjs"), expected);
    assertAdvice(await find(folder, "plain.mjs"), expected);
  },
  "vite build": async () => {
    const folder = await bundle(app, "vite", { build: { target: "es2022" } });
    assertThreads(await lookInto(folder), expected);
  },
  "vite, the dev server": async () => {
    await copyFile(MODEL_PATH, join(app.root, "plm-test.gguf"));
    const server = await createServer({
      root: app.root,
      configFile: false,
      logLevel: "warn",
      cacheDir: join(app.out, "vite-cache"),
      optimizeDeps: { exclude: ["plm-wasm"] },
      server: { headers: ISOLATION, host: "127.0.0.1", port: 0 },
    });
    try {
      await server.listen();
      assertThreads(await lookAt(server.resolvedUrls.local[0]), expected);
    } finally {
      await server.close();
    }
  },
});
