// The conformance checks in workerd, bundled by esbuild as wrangler does.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { FormData } from "miniflare";
import { MODEL, runChecks, SAVED } from "./checks.mjs";
import { startWorker } from "./worker-modules.mjs";

await runChecks({
  "the Worker answers": async (counts) => {
    const miniflare = await startWorker(fileURLToPath(new URL("worker.mjs", import.meta.url)));
    try {
      const body = new FormData();
      for (const [name, url] of Object.entries({ file: MODEL, saved: SAVED })) {
        body.set(name, new Blob([await readFile(url)]), name);
      }
      const response = await miniflare.dispatchFetch("http://localhost/", { method: "POST", body });
      assert.equal(response.status, 200);
      const { lines, passed, failed } = await response.json();
      for (const line of lines) console.log(line);
      counts.passed += passed;
      counts.failed += failed;
    } finally {
      await miniflare.dispose();
    }
  },
});
