// examples/deno-deploy in Deno, with the permissions that Deno Deploy gives.
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { runChecks } from "../runtimes/checks.mjs";
import { answerChecks } from "./answers.mjs";
import { deploy, MODEL } from "./deployment.mjs";
import { expectedIn, programOf, serve } from "./processes.mjs";

const root = deploy("deno-deploy");
const deno = programOf("deno");
const flags = ["--no-remote", "--node-modules-dir=manual", "--allow-all"];
const command = [deno, "serve", ...flags, "--host", "127.0.0.1", "--port", "0", "main.js"];
const env = { ...process.env, NO_COLOR: "1" };
const origin = await serve(command, { cwd: root, env });
const { failed } = await runChecks(
  answerChecks({
    ask: (path, init) => fetch(new URL(path, origin), init),
    addModel: () => copyFile(MODEL, join(root, "model.gguf")),
    expected: expectedIn([deno, "run", ...flags], {}),
  }),
);
process.exit(failed === 0 ? 0 : 1);
