// Vitest, with environments that replace globals; the package as Node loads it and as Vite does.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { MODEL_PATH, run } from "./app.mjs";

/** Vitest needs a newer Node than the package. */
const NODE = fileURLToPath(new URL("node_modules/node24/bin/node", import.meta.url));

const check =
  ({ root }, expected, environment, inline) =>
  async () => {
    const include = ["threads.test.mjs"];
    const test = { environment, include, server: { deps: { inline } }, testTimeout: 30_000 };
    const config = `export default ${JSON.stringify({ test })};\n`;
    await writeFile(join(root, "vitest.config.mjs"), config);
    const given = { VITE_MODEL: MODEL_PATH, VITE_EXPECTED: JSON.stringify(expected) };
    const vitest = join(root, "node_modules/vitest/vitest.mjs");
    await run(NODE, [vitest, "run"], { cwd: root, env: { ...process.env, ...given } });
  };

export default (app, expected) =>
  Object.fromEntries(
    ["node", "jsdom", "happy-dom"].flatMap((environment) => [
      [`vitest in ${environment}`, check(app, expected, environment)],
      [`vitest in ${environment}, inlined`, check(app, expected, environment, ["plm-wasm"])],
    ]),
  );
