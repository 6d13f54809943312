// bun build, which leaves workers' files out, and its programs of one file.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { assertAdvice, assertThreads, MODEL_PATH, run } from "./app.mjs";

const SYSTEM = `${process.platform}-${process.arch.replace("arm64", "aarch64")}`;
const BUN = fileURLToPath(new URL(`node_modules/@oven/bun-${SYSTEM}/bin/bun`, import.meta.url));

const check = (app, expected, target, program) => async () => {
  const { root, out } = app;
  const folder = join(out, target);
  const entries = ["main.mjs", "plain.mjs", "plm-thread.mjs", "plm-worker.mjs"];
  const naming = "--entry-naming=[name].mjs";
  const options = [`--target=${target}`, `--outdir=${folder}`, naming];
  await run(BUN, ["build", ...entries, ...options], { cwd: root });
  const find = async (name) => JSON.parse(await run(program, [join(folder, name), MODEL_PATH]));
  assertThreads(await find("main.mjs"), expected);
  assertAdvice(await find("plain.mjs"), expected);
};

export default (app, expected) => ({
  "bun build --target=bun": check(app, expected, "bun", BUN),
  "bun build --target=node": check(app, expected, "node", process.execPath),
  "bun build --compile": async () => {
    const { root, out } = app;
    const find = async (...entries) => {
      const program = join(out, entries[0].replace(".mjs", ""));
      const options = ["--compile", ...entries, `--outfile=${program}`];
      await run(BUN, ["build", ...options], { cwd: root });
      return JSON.parse(await run(program, [MODEL_PATH], { cwd: out }));
    };
    assertThreads(await find("main.mjs", "plm-thread.mjs", "plm-worker.mjs"), expected);
    assertAdvice(await find("plain.mjs"), expected);
  },
});
