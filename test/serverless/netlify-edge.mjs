// examples/netlify-edge in Deno, called as Netlify calls it.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runChecks } from "../runtimes/checks.mjs";
import { answerChecks } from "./answers.mjs";
import { deploy, MODEL, startSite } from "./deployment.mjs";
import { expectedIn, programOf, serve } from "./processes.mjs";

const root = deploy("netlify-edge");
const site = await startSite(await readFile(MODEL));
const deno = programOf("deno");
const flags = ["--no-remote", "--node-modules-dir=manual", "--allow-net", "--allow-env"];
const runtime = fileURLToPath(new URL("netlify-runtime.mjs", import.meta.url));
const functions = join(root, "netlify/edge-functions");
const command = [deno, "run", ...flags, "--allow-read", runtime, functions];
const env = { ...process.env, NO_COLOR: "1", MODEL_URL: site.url };
const origin = await serve(command, { cwd: root, env });
const { failed } = await runChecks(
  answerChecks({
    ask: (path, init) => fetch(new URL(path, origin), init),
    addModel: site.addModel,
    expected: expectedIn([deno, "run", ...flags, "--allow-read"], { contextLength: 512 }),
  }),
);
site.close();
process.exit(failed === 0 ? 0 : 1);
