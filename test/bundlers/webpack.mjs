// webpack, which follows workers by itself, for Node and for pages.
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import webpack from "webpack";
import { assertThreads, MODEL_PATH, run } from "./app.mjs";
import { lookInto } from "./chromium.mjs";

/** Builds, and returns the folder; a warning is an error. */
function bundle({ root, out }, folder, options) {
  const path = join(out, folder);
  const { output, ...rest } = options;
  const base = { context: root, mode: "production", devtool: false, performance: false };
  return new Promise((resolve, reject) => {
    webpack({ ...base, ...rest, output: { ...output, path } }, (error, stats) => {
      if (error) reject(error);
      else if (stats.hasErrors() || stats.hasWarnings()) reject(new Error(stats.toString()));
      else resolve(path);
    });
  });
}

const check = (app, expected, isModule) => async () => {
  const name = isModule ? "plain.mjs" : "plain.cjs";
  const folder = await bundle(app, `webpack-${name}`, {
    target: "node20",
    entry: "./plain.mjs",
    experiments: { outputModule: isModule },
    output: { filename: name, module: isModule },
  });
  const path = join(folder, name);
  assertThreads(JSON.parse(await run(process.execPath, [path, MODEL_PATH])), expected);
};

export default (app, expected) => ({
  "webpack for Node": check(app, expected, false),
  "webpack for Node, ES modules": check(app, expected, true),
  "webpack for a page": async () => {
    const output = { filename: "page.mjs" };
    const folder = await bundle(app, "webpack", { entry: "./page.mjs", output });
    await copyFile(join(app.root, "index.html"), join(folder, "index.html"));
    assertThreads(await lookInto(folder), expected);
  },
});
