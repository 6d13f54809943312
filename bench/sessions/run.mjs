// A conversation's session in Redis beside evaluating its tokens again: what the first save, a later
// turn's and restoring take, and prefill of the same tokens. Starts a redis-server of its own.
//
//     npm run build
//     node bench/sessions/run.mjs --model FILE [--threads 2] [--tokens 512] [--turn 64] [--rounds 3]
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Redis } from "ioredis";
import { loadModel } from "../../build/src/index.js";
import { createRedisSessions } from "../../build/src/redis/index.js";

const { values } = parseArgs({
  options: {
    model: { type: "string", default: "models/plm-tiny.gguf" },
    threads: { type: "string", default: "2" },
    tokens: { type: "string", default: "256" },
    turn: { type: "string", default: "64" },
    rounds: { type: "string", default: "3" },
  },
});
const [threads, length, turnLength, rounds] = ["threads", "tokens", "turn", "rounds"].map((name) =>
  Number(values[name]),
);

const folder = mkdtempSync(join(tmpdir(), "plm-bench-redis-"));
const port = await new Promise((resolve) => {
  const probe = createServer().listen(0, "127.0.0.1", () => {
    const found = probe.address().port;
    probe.close(() => resolve(found));
  });
});
const flags = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", folder, "--save", ""];
const server = spawn("redis-server", flags, { stdio: "ignore" });
const redis = new Redis(`redis://127.0.0.1:${port}`, { maxRetriesPerRequest: null });
redis.on("error", () => undefined);

/** The milliseconds that `work` takes, and what it comes to. */
async function timed(work) {
  const start = performance.now();
  const value = await work();
  return [performance.now() - start, value];
}

const tokensOf = (count, seed) =>
  Array.from({ length: count }, (_, k) => 100 + ((31 * k + seed) % 150));
const median = (all) => all.toSorted((a, b) => a - b)[all.length >> 1];
const contextLength = length + turnLength;
const options = { threads, prefixCache: false, contextLength, cacheTokens: 2 * contextLength };
const model = await loadModel(values.model, options);
const times = { prefill: [], first: [], restore: [], turn: [] };
let [bytes, writtenBytes] = [0, 0];
try {
  const sessions = createRedisSessions({ redis, timeoutMs: 60_000 });
  for (let round = 0; round < rounds; round++) {
    const id = `bench ${round}`;
    const session = model.createSession();
    const evaluate = () => session.evaluate(tokensOf(length, round), { logits: "none" });
    times.prefill.push((await timed(evaluate))[0]);
    const first = await sessions.open(id);
    times.first.push((await timed(() => first.save(session)))[0]);
    await first.close();
    session.dispose();
    const next = await sessions.open(id);
    const [ms, restored] = await timed(() => model.restoreSession(next.saved));
    times.restore.push(ms);
    await restored.evaluate(tokensOf(turnLength, round + 7), { logits: "none" });
    const [turnMs, saved] = await timed(() => next.save(restored));
    times.turn.push(turnMs);
    ({ bytes, writtenBytes } = saved);
    await next.close();
    restored.dispose();
    await sessions.delete(id);
  }
} finally {
  model.dispose();
  redis.disconnect();
  server.kill();
  rmSync(folder, { recursive: true, force: true });
}
const about = `${model.variant}, ${threads} threads, Node ${process.versions.node}, ${rounds} rounds`;
const megabytes = (count) => `${(count / 1e6).toFixed(1)} MB`;
console.log(`${length} tokens and a turn of ${turnLength} (medians; ${about})`);
console.log(`prefill of ${length} tokens   ${median(times.prefill).toFixed(0)} ms`);
console.log(`restoring them from Redis   ${median(times.restore).toFixed(0)} ms`);
console.log(`first save                  ${median(times.first).toFixed(0)} ms`);
console.log(`save of the next turn       ${median(times.turn).toFixed(0)} ms`);
console.log(`bytes: ${megabytes(bytes)}, written by the next turn: ${megabytes(writtenBytes)}`);
