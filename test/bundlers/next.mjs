// Next.js; its servers leave the package in node_modules.
import { spawn } from "node:child_process";
import { cpSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { assertThreads, expectedIn, MODEL_PATH, makeApp, run } from "./app.mjs";

const PORT = 43117;
const START_MS = 20_000;

/** Packages are links here, and Turbopack follows no link out of its root. */
const CONFIG = { serverExternalPackages: ["plm-wasm"], turbopack: { root: "/" } };

/** Requests until the server answers. */
async function ask(url) {
  const endMs = Date.now() + START_MS;
  for (;;) {
    try {
      return await (await fetch(url)).text();
    } catch (error) {
      if (Date.now() > endMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

const check = (bundler) => async () => {
  const { root } = makeApp("next");
  const expected = expectedIn({ root });
  cpSync(fileURLToPath(new URL("next/app", import.meta.url)), join(root, "app"), {
    recursive: true,
  });
  await writeFile(join(root, "package.json"), '{ "private": true }');
  await writeFile(join(root, "next.config.mjs"), `export default ${JSON.stringify(CONFIG)};\n`);
  const next = join(root, "node_modules/next/dist/bin/next");
  const env = { ...process.env, CI: "1", NEXT_TELEMETRY_DISABLED: "1", MODEL: MODEL_PATH };
  await run(process.execPath, [next, "build", bundler], { cwd: root, env });
  const args = [next, "start", "--port", `${PORT}`, "--hostname", "127.0.0.1"];
  const server = spawn(process.execPath, args, { cwd: root, env, stdio: "ignore" });
  try {
    assertThreads(JSON.parse(await ask(`http://127.0.0.1:${PORT}/text`)), expected);
  } finally {
    server.kill();
  }
};

export default () => ({
  "next build": check("--turbopack"),
  "next build --webpack": check("--webpack"),
});
