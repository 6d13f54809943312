/** The page's build: static files with relative names, and a list of them to work offline with. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { defineConfig, type Plugin } from "vite";

/** Headers that make the page cross-origin isolated, so that its threads can share memory. */
const ISOLATION = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

const WORKER = "service-worker.js";

/** Tells the service worker which files there are, and names the build after their contents. */
function listFiles(): Plugin {
  return {
    name: "list-files",
    apply: "build",
    enforce: "post",
    generateBundle(_options, bundle) {
      const hash = createHash("sha256");
      const names = Object.keys(bundle).filter((name) => name !== WORKER);
      for (const name of names.sort()) {
        const file = bundle[name];
        hash.update(file.type === "chunk" ? file.code : file.source);
      }
      const shown = readdirSync("public");
      for (const name of shown) hash.update(readFileSync(`public/${name}`));
      const worker = bundle[WORKER];
      if (worker?.type !== "chunk") throw new Error(`${WORKER}: expected a script, got none`);
      const files = [...names, ...shown].map((name) => (name === "index.html" ? "./" : name));
      const filled = worker.code
        .replace("__BUILD__", hash.digest("hex").slice(0, 16))
        .replace(/(["'`])__FILES__\1/, JSON.stringify(JSON.stringify(files)));
      if (/__(BUILD|FILES)__/.test(filled))
        throw new Error(`${WORKER}: has no place for its files`);
      worker.code = filled;
    },
  };
}

export default defineConfig({
  base: "./",
  plugins: [listFiles()],
  // The package starts its workers by their place beside its other files.
  optimizeDeps: { exclude: ["plm-wasm"] },
  worker: { format: "es" },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    // The kernels lie in the script.
    chunkSizeWarningLimit: 700,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { page: "index.html", "service-worker": "src/offline/service-worker.ts" },
      output: {
        entryFileNames: ({ name }) =>
          name === "service-worker" ? WORKER : "assets/[name]-[hash].js",
      },
    },
  },
  server: { headers: ISOLATION, fs: { allow: ["../.."] } },
  preview: { headers: ISOLATION },
});
