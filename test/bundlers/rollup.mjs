// Rollup, which does not set the condition "node" and leaves workers' files out.
import { join } from "node:path";
import { nodeResolve } from "@rollup/plugin-node-resolve";
import { rollup } from "rollup";
import { assertAdvice, assertThreads, MODEL_PATH, run } from "./app.mjs";

const ENTRIES = ["main.mjs", "plain.mjs", "plm-thread.mjs", "plm-worker.mjs"];

async function bundle({ root, out }, { conditions, external = [] } = {}) {
  const bundled = await rollup({
    input: ENTRIES.map((name) => join(root, name)),
    plugins: [nodeResolve(conditions && { exportConditions: conditions })],
    external: [/^node:/, "worker_threads", ...external],
    onwarn: (warning) => {
      throw new Error(warning.message);
    },
  });
  const dir = join(out, "rollup");
  await bundled.write({ dir, entryFileNames: "[name].mjs", chunkFileNames: "[name]-[hash].mjs" });
  return dir;
}

async function find(folder, name) {
  return JSON.parse(await run(process.execPath, [join(folder, name), MODEL_PATH]));
}

const check = (app, expected, options) => async () => {
  const folder = await bundle(app, options);
  assertThreads(await find(folder, "main.mjs"), expected);
  assertAdvice(await find(folder, "plain.mjs"), expected);
};

export default (app, expected) => ({
  "Rollup as it is": check(app, expected),
  "Rollup with the condition node": check(app, expected, { conditions: ["node"] }),
  "Rollup with the package external": async () => {
    const external = ["plm-wasm", "plm-wasm/thread"];
    const folder = await bundle({ ...app, out: app.root }, { external });
    assertThreads(await find(folder, "plain.mjs"), expected);
  },
});
