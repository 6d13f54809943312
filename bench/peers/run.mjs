// Measures plm-wasm against its peers: node bench/peers/run.mjs --model plm-q8_0.gguf (README.md).
import { execFileSync, spawn } from "node:child_process";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArguments, USAGE } from "./arguments.mjs";
import { drawChart } from "./chart.mjs";
import { measure } from "./measure.mjs";
import { makePrompts } from "./prompts.mjs";
import { describeScenarios, summarize } from "./results.mjs";
import { SCENARIOS, shortened } from "./scenarios.mjs";

const NODE_MAJOR = 24;

const pathOf = (relative) => fileURLToPath(new URL(relative, import.meta.url));

/** Exits with one line that names the problem. */
function fail(message) {
  console.error(`run.mjs: ${message}`);
  process.exit(2);
}

/** Continues in the installed Node if this one is older; returns whether it does. */
function goOnInNode() {
  if (Number.parseInt(process.versions.node, 10) >= NODE_MAJOR) return false;
  const node = pathOf("node_modules/node24/bin/node");
  if (!existsSync(node)) {
    fail(`expected Node ${NODE_MAJOR} or npm ci in bench/peers, got Node ${process.version}`);
  }
  const child = spawn(node, process.argv.slice(1), { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code) => process.exit(code ?? 1));
  return true;
}

function packageVersion(path) {
  const file = pathOf(`${path}/package.json`);
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).version : "not installed";
}

/** The versions of all parts. Engines give more in their `about`. */
function readVersions(machine) {
  const chromium = process.env.CHROMIUM_PATH ?? "/usr/bin/chromium";
  let browser = "no Chromium";
  try {
    const output = execFileSync(chromium, ["--version"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    browser = /^\S+ [\d.]+/.exec(output)?.[0] ?? output.trim();
  } catch {
    // Its scenarios will report that it is missing.
  }
  return {
    "plm-wasm": packageVersion("../.."),
    commit: machine.commit,
    "node-llama-cpp": packageVersion("node_modules/node-llama-cpp"),
    "wllama-2": packageVersion("node_modules/wllama-2"),
    "wllama-3": packageVersion("node_modules/wllama-3"),
    node: `Node ${process.versions.node}`,
    chromium: browser,
  };
}

/** Measures what the arguments choose. */
async function measureAll({ model, q4, kinds, rounds, short }) {
  if (!existsSync(pathOf("../../build/bench/machine.js"))) fail("expected npm run build before");
  const { readMachine } = await import("../../build/bench/machine.js");
  const { inspectModel } = await import("../../build/src/index.js");
  const files = { q8_0: resolve(model), q4_0: q4 && resolve(q4) };
  const scenarios = SCENARIOS.filter(({ kind, file }) => kinds.includes(kind) && files[file]);
  if (scenarios.length === 0) fail("nothing to measure: these scenarios need --q4");
  const { plan, tokenizer } = await inspectModel(files.q8_0).catch((error) =>
    fail(`--model: ${error.message}`),
  );
  const machine = readMachine("relaxed");
  const measured = await measure(short ? scenarios.map(shortened) : scenarios, {
    execPath: process.execPath,
    files,
    prompts: makePrompts(plan.config.maxPositionEmbeddings, tokenizer, plan.config.vocabSize),
    rounds,
    print: (line) => console.log(line),
  });
  const describeFile = (path) => ({ name: basename(path), bytes: statSync(path).size });
  return {
    date: new Date().toISOString(),
    machine,
    versions: readVersions(machine),
    files: Object.fromEntries(
      Object.entries(files).flatMap(([type, path]) => (path ? [[type, describeFile(path)]] : [])),
    ),
    rounds,
    short,
    scenarios: summarize(measured),
  };
}

/** The lines above the table. */
function describeRun({ date, machine, versions, files, rounds, short }) {
  const { cpu, cores, avxVnni, avx512Vnni, os } = machine;
  const names = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const fileLines = Object.values(files).map(
    ({ name, bytes }) => `file      ${name}, ${bytes} bytes`,
  );
  return [
    "",
    `cpu       ${cpu}, ${cores} cores, AVX-VNNI ${avxVnni}, AVX512-VNNI ${avx512Vnni}; ${os}`,
    `versions  ${names.join(", ")}`,
    ...fileLines,
    `rounds    ${rounds}, ${date}${short ? ", SHORT: not a measurement" : ""}`,
  ].join("\n");
}

async function main() {
  let values;
  try {
    values = parseArguments(process.argv.slice(2));
  } catch (error) {
    fail(error.message);
  }
  if (values.help) {
    console.log(USAGE);
    return;
  }
  if (goOnInNode()) return;
  const results =
    values.from === undefined
      ? await measureAll(values)
      : JSON.parse(readFileSync(values.from, "utf8"));
  console.log(describeRun(results));
  console.log(describeScenarios(results.scenarios));
  if (values.json) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
  if (values.svg) writeFileSync(values.svg, drawChart(results));
}

await main();
