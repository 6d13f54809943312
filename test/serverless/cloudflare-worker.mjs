// examples/cloudflare-worker in workerd, as wrangler bundles it.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { inspectModel } from "../../build/src/index.js";
import { runChecks } from "../runtimes/checks.mjs";
import { startWorker } from "../runtimes/worker-modules.mjs";
import { answerChecks, REQUEST } from "./answers.mjs";
import { deploy, MODEL } from "./deployment.mjs";
import { expectedIn } from "./processes.mjs";

/** The example's options. */
const OPTIONS = { contextLength: 512, cacheTokens: 1024, maxSequences: 2 };

/** What an isolate may have. */
const LIMIT_BYTES = 128e6;

const root = deploy("cloudflare-worker");
const [, flags] = /compatibility_flags = (\[.*\])/.exec(
  await readFile(join(root, "wrangler.toml"), "utf8"),
);
const miniflare = await startWorker(join(root, "worker.js"), {
  compatibilityFlags: JSON.parse(flags),
  r2Buckets: ["MODELS"],
});
const origin = await miniflare.ready;
const ask = (path, init) => fetch(new URL(path, origin), init);

/** Sends a chat and resets the connection after some time: what workerd notices without writing. */
async function leave(fields, ms) {
  const body = JSON.stringify({ ...REQUEST, ...fields });
  const socket = connect(origin.port, origin.hostname);
  const head = [
    "POST /v1/chat/completions HTTP/1.1",
    `host: ${origin.host}`,
    `content-length: ${body.length}`,
  ];
  socket.write(`${head.join("\r\n")}\r\n\r\n${body}`);
  await setTimeout(ms);
  socket.resetAndDestroy();
}

const expected = expectedIn([process.execPath], { variant: "simd", ...OPTIONS });
const { "without a model it says so, and looks again": missing, ...others } = answerChecks({
  ask,
  expected,
  addModel: async () => {
    await (await miniflare.getR2Bucket("MODELS")).put("model.gguf", await readFile(MODEL));
    // It begins the load, which the next one waits for.
    await leave({}, 15);
  },
});
const { failed } = await runChecks({
  "without a model it says so; one that hangs up meanwhile does no harm": missing,
  ...others,
  "a client that hangs up before the answer": async () => {
    for (let i = 0; i < 4; i++) await leave({ max_tokens: 400, ignore_eos: true }, 100);
    const response = await ask("/v1/chat/completions", {
      method: "POST",
      body: JSON.stringify(REQUEST),
    });
    assert.equal((await response.json()).choices[0].message.content, expected);
    assert.match(await (await ask("/metrics")).text(), /requests_processing 0\n/);
  },
  "its memory is under an isolate's limit": async () => {
    const { plan } = await inspectModel(MODEL, { threads: 1, ...OPTIONS });
    const file = await readFile(MODEL);
    // Even if the whole file lay in memory beside.
    const bytes = plan.memory.bytes() + file.byteLength;
    assert.ok(bytes < LIMIT_BYTES, `${bytes} bytes`);
  },
});
await miniflare.dispose();
process.exit(failed === 0 ? 0 : 1);
