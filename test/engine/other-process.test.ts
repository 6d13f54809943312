/** A session that one process saved goes on in another, on another number of threads. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { CACHE_TYPES } from "../../src/cache/rows.js";
import { goOn, type Loading, loadOn, longSession } from "./support/going-on.js";

const SCRIPT = fileURLToPath(new URL("support/go-on.js", import.meta.url));

/** The bytes of the logits that a process of its own computes from a saved session. */
function logitsElsewhere(saved: Uint8Array, loading: Loading): Buffer {
  const args = [SCRIPT, JSON.stringify(loading)];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { input: saved });
  assert.is(stderr.toString(), "");
  assert.is(status, 0);
  return stdout;
}

for (const cacheType of CACHE_TYPES) {
  test(`cache ${cacheType}, from one thread to two and three`, async () => {
    const model = await loadOn({ threads: 1, cacheType });
    const session = await longSession(model);
    const saved = await session.save();
    const expected = await goOn(session);
    model.dispose();
    for (const threads of [2, 3]) {
      const logits = logitsElsewhere(saved, { threads, cacheType });
      assert.ok(logits.equals(expected), `on ${threads} threads`);
    }
  });
}

test.run();
