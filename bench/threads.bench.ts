/**
 * Decoding beside 0, 1 and 2 busy programs, on one thread and on several, in alternation; and the
 * time to load the model if 64 processors are claimed.
 *
 *     node build/bench/threads.bench.js [--threads 2] [--tokens 48] [--rounds 7] [--against BUILD]
 *
 * BUILD is the build folder of another commit; its rate on as many threads is taken in the same
 * rounds. Every model is loaded twice, in mirrored order, since its place in memory changes the
 * rate by several per cent. Rates are medians; ratios are medians of the rounds' ratios.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { parseArgs } from "node:util";
import platform from "#platform";
import { loadModel, type Model } from "../src/index.js";
import { describeMachine, readMachine } from "./machine.js";
import { median } from "./measure.js";
import { loaderOf, smallModel } from "./small-model.js";

/** Settling time before measurements: the neighbours start, the team finds its number. */
const SETTLE_MS = 1_000;

const CLAIMED = 64;

const { values } = parseArgs({
  options: {
    threads: { type: "string", default: "2" },
    tokens: { type: "string", default: "48" },
    rounds: { type: "string", default: "7" },
    against: { type: "string" },
  },
});
const threads = Number(values.threads);
const tokens = Number(values.tokens);
const rounds = Number(values.rounds);

function startNeighbours(count: number): ChildProcess[] {
  return Array.from({ length: count }, () =>
    spawn(process.execPath, ["--eval", "for (;;);"], { stdio: "ignore" }),
  );
}

/** A model to time. */
interface Contestant {
  readonly name: string;
  readonly model: Model;
}

/** Tokens per second of `count` tokens, decoded one by one. */
async function decodeRate(model: Model, count: number): Promise<number> {
  const session = model.createSession();
  const out = new Float32Array(session.vocabSize);
  await session.evaluate([5, 6, 7, 8], { logits: "none" });
  const startMs = performance.now();
  for (let i = 0; i < count; i++) await session.evaluate([9 + (i % 100)], { out });
  const seconds = (performance.now() - startMs) / 1000;
  session.dispose();
  return count / seconds;
}

/** Rates of every model with a number of busy neighbours, round by round. */
async function measureBeside(
  neighbours: number,
  models: readonly Contestant[],
): Promise<Record<string, number[]>> {
  const busy = startNeighbours(neighbours);
  try {
    const rates: Record<string, number[]> = {};
    const endMs = performance.now() + SETTLE_MS;
    while (performance.now() < endMs) {
      for (const { model } of models) await decodeRate(model, 8);
    }
    for (let round = 0; round < rounds; round++) {
      const sums: Record<string, number> = {};
      for (const { name, model } of models) {
        sums[name] = (sums[name] ?? 0) + (await decodeRate(model, tokens));
      }
      for (const [name, sum] of Object.entries(sums)) {
        rates[name] ??= [];
        rates[name].push(sum / 2);
      }
    }
    return rates;
  } finally {
    for (const child of busy) child.kill("SIGKILL");
  }
}

/** Milliseconds of loading a model with the package's choice of threads. */
async function loadMsClaiming(processors: number, file: Buffer): Promise<number> {
  const { parallelism } = platform;
  platform.parallelism = () => processors;
  const startMs = performance.now();
  const model = await loadModel(file);
  const ms = performance.now() - startMs;
  platform.parallelism = parallelism;
  model.dispose();
  return ms;
}

console.log(describeMachine(readMachine("simd")));
const file = smallModel();
console.log(`model    ${(file.length / 1e6).toFixed(0)} MB, ${tokens} tokens, ${rounds} rounds\n`);
const entries = [
  { name: "1 thread", load: loadModel, threads: 1 },
  { name: `${threads} threads`, load: loadModel, threads },
];
if (values.against !== undefined) {
  entries.push({ name: "before", load: await loaderOf(values.against), threads });
}
const models: Contestant[] = [];
for (const { name, load, threads } of [...entries, ...[...entries].reverse()]) {
  models.push({ name, model: await load(file, { threads }) });
}
for (const neighbours of [0, 1, 2]) {
  const rates = await measureBeside(neighbours, models);
  for (const [name, own] of Object.entries(rates)) {
    const ratio = median(own.map((rate, i) => rate / rates["1 thread"][i]));
    const line = [`${median(own).toFixed(1)} tokens/s`, `${ratio.toFixed(2)} of 1 thread`];
    if (rates.before !== undefined) {
      line.push(`${median(own.map((rate, i) => rate / rates.before[i])).toFixed(2)} of before`);
    }
    console.log(`${neighbours} busy  ${name.padEnd(10)} ${line.join("   ")}`);
  }
}
for (const { model } of models) model.dispose();
for (const processors of [2, CLAIMED]) {
  const ms = await loadMsClaiming(processors, file);
  console.log(`${processors} processors claimed: the model loads in ${ms.toFixed(0)} ms`);
}
