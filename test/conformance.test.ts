/** Runs the portable checks in this runtime. */
import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { runConformance } from "./conformance.js";

test("every conformance check passes here", async () => {
  const failures: string[] = [];
  const file = readFileSync(new URL("../../models/plm-test.gguf", import.meta.url));
  const counts = await runConformance({
    file: new Uint8Array(file),
    hasThreads: true,
    print: (line) => {
      if (line.startsWith("FAIL")) failures.push(line);
    },
  });
  assert.equal(failures, []);
  assert.is(counts.failed, 0);
  assert.ok(counts.passed > 0);
});

test.run();
