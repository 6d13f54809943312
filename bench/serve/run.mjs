// Streams of `plm serve` against `plm bench --sequences`, in alternation: the sum of all sequences'
// tokens a second while all decode.
//
//     node bench/serve/run.mjs --model FILE [--threads 2] [--streams 8] [--tokens 64] [--rounds 3]
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { parseArgs, promisify } from "node:util";

const { values } = parseArgs({
  options: {
    model: { type: "string", default: "models/plm-tiny.gguf" },
    threads: { type: "string", default: "2" },
    streams: { type: "string", default: "8" },
    tokens: { type: "string", default: "64" },
    rounds: { type: "string", default: "3" },
  },
});
const PLM = "build/src/cli/main.js";
const PROMPT = 32;
const loading = ["--model", values.model, "--threads", values.threads];

/** Tokens a second of all sequences together, by the bench. */
async function bench() {
  const counts = ["-p", String(PROMPT), "-n", values.tokens, "--sequences", values.streams];
  const args = [PLM, "bench", ...loading, ...counts, "--repeat", "1", "--json"];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 1e8 });
  return JSON.parse(stdout).decode.tokensPerSecond;
}

/** The same by the server, from the last of the first tokens to the first of the last. */
async function serve() {
  const args = [PLM, "serve", ...loading, "--port", "0", "--parallel", values.streams];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const [line] = await once(createInterface({ input: child.stdout }), "line");
    const url = line.replace(" is ready", "");
    while (!(await fetch(`${url}/health`)).ok) await new Promise((done) => setTimeout(done, 200));
    const streams = Array.from({ length: Number(values.streams) }, (_, i) => stream(url, i));
    const times = await Promise.all(streams);
    const start = Math.max(...times.map((each) => each[0]));
    const end = Math.min(...times.map((each) => each[each.length - 1]));
    // Some tokens have no piece of text of their own: halves of characters.
    const tokens = times.map((each) => {
      const pieces = each.filter((time) => time > start && time <= end).length;
      return (pieces * Number(values.tokens)) / each.length;
    });
    return (1000 * tokens.reduce((sum, count) => sum + count)) / (end - start);
  } finally {
    child.kill();
    await once(child, "exit");
  }
}

/** When each piece of a stream's text came. */
async function stream(url, i) {
  const prompt = Array.from({ length: PROMPT }, (_, k) => 100 + ((31 * k + 7 * i) % 150));
  const options = { max_tokens: Number(values.tokens), ignore_eos: true, seed: i };
  const body = JSON.stringify({ prompt, stream: true, ...options });
  const response = await fetch(`${url}/v1/completions`, { method: "POST", body });
  if (!response.ok) throw new Error(await response.text());
  const times = [];
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of response.body) {
    const events = (rest + decoder.decode(chunk, { stream: true })).split("\n\n");
    rest = events.pop();
    for (const event of events) {
      if (event !== "data: [DONE]" && JSON.parse(event.slice(6)).choices[0]?.text !== "") {
        times.push(performance.now());
      }
    }
  }
  return times;
}

const median = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1];
const rates = { bench: [], serve: [] };
for (let round = 0; round < Number(values.rounds); round++) {
  rates.bench.push(await bench());
  rates.serve.push(await serve());
  console.log(
    `round ${round + 1}: bench ${rates.bench.at(-1).toFixed(1)}, ` +
      `serve ${rates.serve.at(-1).toFixed(1)} tokens/s`,
  );
}
const [all, served] = [median(rates.bench), median(rates.serve)];
console.log(
  `${values.streams} streams, ${values.threads} threads, medians: bench ${all.toFixed(1)}, ` +
    `serve ${served.toFixed(1)} tokens/s, ${(served / all).toFixed(2)} of it`,
);
