// Runs examples/node.mjs with the command in the arguments: node example.mjs deno run --allow-read
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expectedText, makeSmallModel, PROMPT, runChecks } from "./small.mjs";

const [command, ...args] = process.argv.slice(2);
const example = fileURLToPath(new URL("../../examples/node.mjs", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "plm-wasm-"));
const path = join(folder, "small.gguf");

await runChecks({
  "examples/node.mjs": async () => {
    writeFileSync(path, await makeSmallModel());
    const { status, stdout, stderr } = spawnSync(command, [...args, example, path, PROMPT], {
      encoding: "utf8",
    });
    assert.equal(stderr, "");
    assert.equal(stdout, `${await expectedText(64)}\n`);
    assert.equal(status, 0);
  },
});
rmSync(folder, { recursive: true });
