/** Runs the portable checks in this runtime. */
import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { loadModel } from "../src/index.js";
import { SAVED_OPTIONS, saveForOthers } from "./conformance/sessions.js";
import { runConformance } from "./conformance.js";

test("every conformance check passes here", async () => {
  const failures: string[] = [];
  const path = new URL("../../models/plm-test.gguf", import.meta.url);
  const file = new Uint8Array(readFileSync(path));
  const model = await loadModel(file, SAVED_OPTIONS);
  const saved = await saveForOthers(model);
  model.dispose();
  const counts = await runConformance({
    file,
    saved,
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
