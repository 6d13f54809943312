/** Runs the portable checks in the present runtime. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { runConformance } from "./conformance.js";

test("every conformance check passes here", async () => {
  const failures: string[] = [];
  const counts = await runConformance({
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
