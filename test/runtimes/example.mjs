// Runs examples/node.mjs with the command in the arguments: node example.mjs deno run --allow-read
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { MODEL, PROMPT, runChecks } from "./checks.mjs";

const [command, ...args] = process.argv.slice(2);
const example = fileURLToPath(new URL("../../examples/node.mjs", import.meta.url));
const text = fileURLToPath(new URL("text.mjs", import.meta.url));

/** The output of a script, which must succeed and print nothing else. */
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
    assert.equal(run(example, fileURLToPath(MODEL), PROMPT), run(text));
  },
});
