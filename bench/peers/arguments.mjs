// The command line of run.mjs.
import { existsSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parseArgs } from "node:util";
import { KINDS } from "./scenarios.mjs";

export const USAGE = `Usage: node bench/peers/run.mjs --model Q8_0.gguf [options]

  --model FILE    a PLM in Q8_0
  --q4 FILE       the same model in Q4_0; without it, its scenarios are left out
  --only LIST     kinds of scenarios, of ${KINDS.join(",")}
  --rounds N      times that every engine is measured (default 5)
  --short         few tokens: shows that everything runs, not how fast it is
  --json FILE     write all rounds, medians and ratios
  --svg FILE      write the chart; docs/peers.svg is the README's
  --from FILE     show what --json has written; nothing is measured
  --help`;

const OPTIONS = {
  model: { type: "string" },
  q4: { type: "string" },
  only: { type: "string", default: KINDS.join(",") },
  rounds: { type: "string", default: "5" },
  short: { type: "boolean", default: false },
  json: { type: "string" },
  svg: { type: "string" },
  from: { type: "string" },
  help: { type: "boolean", default: false },
};

function checkFile(name, path) {
  if (existsSync(path) && statSync(path).isFile()) return;
  throw new Error(`--${name}: ${path} is not a file`);
}

/** The values of the command line. Throws an Error with a message of one line. */
export function parseArguments(args) {
  let values;
  try {
    ({ values } = parseArgs({ args, options: OPTIONS }));
  } catch (error) {
    throw new Error(error.message.split("\n", 1)[0]);
  }
  if (values.help) return values;
  const kinds = values.only.split(",");
  const unknown = kinds.find((kind) => !KINDS.includes(kind));
  if (unknown !== undefined) {
    throw new Error(`--only: expected some of ${KINDS.join(",")}, got ${unknown}`);
  }
  const rounds = Number(values.rounds);
  if (!(Number.isInteger(rounds) && rounds >= 1 && rounds <= 1000)) {
    throw new Error(`--rounds: expected an integer from 1 to 1000, got ${values.rounds}`);
  }
  if (values.from === undefined && values.model === undefined) {
    throw new Error("--model: expected the path of a PLM in Q8_0");
  }
  for (const name of ["model", "q4", "from"]) {
    if (values[name] !== undefined) checkFile(name, values[name]);
  }
  for (const name of ["json", "svg"]) {
    if (values[name] !== undefined && !existsSync(dirname(resolve(values[name])))) {
      throw new Error(`--${name}: there is no folder for ${values[name]}`);
    }
  }
  return { ...values, kinds, rounds };
}
