// Runs examples/node.mjs with the command in the arguments: node example.mjs deno run --allow-read
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeSmallModel, PROMPT, runChecks } from "./small.mjs";

const [command, ...args] = process.argv.slice(2);
const example = fileURLToPath(new URL("../../examples/node.mjs", import.meta.url));
const text = fileURLToPath(new URL("text.mjs", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "plm-wasm-"));
const path = join(folder, "small.gguf");

/** What a script prints, which must succeed and say nothing else. */
function run(...script) {
  const { status, stdout, stderr } = spawnSync(command, [...args, ...script], {
    encoding: "utf8",
  });
  assert.equal(stderr, "");
  assert.equal(status, 0);
  assert.notEqual(stdout, "");
  return stdout;
}

await runChecks({
  "examples/node.mjs": async () => {
    writeFileSync(path, await makeSmallModel());
    assert.equal(run(example, path, PROMPT), run(text));
  },
});
rmSync(folder, { recursive: true });
