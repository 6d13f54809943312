/**
 * Times the kernels at PLM-1.8B's shapes, each after it has agreed with its reference:
 * `node build/bench/kernels.bench.js [filter] [--json] [--seconds N] [--variant simd|relaxed]`. The
 * filter is part of a case's name, --seconds the time for each case; kernels that the variant lacks
 * are left out. Exits with 1 if a kernel disagrees.
 */
import { parseArgs } from "node:util";
import { VARIANTS, type Variant } from "../src/kernels/load.js";
import { ABSORBED_CASES } from "./absorbed.js";
import { ATTENTION_CASES } from "./attention.js";
import { ELEMENT_CASES } from "./elements.js";
import { LINEAR_CASES } from "./linear.js";
import { describeMachine, type Machine, readMachine } from "./machine.js";
import { measure, type Timing } from "./measure.js";
import { PACKING_CASES } from "./packing.js";
import { READ_CASES } from "./read.js";
import { ROWS_CASES } from "./rows.js";
import { SPARSE_CASES } from "./sparse.js";
import { type Case, Workspace } from "./workspace.js";

/** A line of the table. */
interface Result extends Timing {
  readonly name: string;
  /** Giga-units per second. */
  readonly rate: number;
  readonly unit: "GMAC/s" | "GB/s" | "Gelement/s";
  /** Bytes from DRAM, and their rate as a share of the plain read's; null for other cases. */
  readonly dramGigabytesPerSecond: number | null;
  readonly shareOfRead: number | null;
}

/** The results of a run. */
interface Report {
  readonly machine: Machine;
  readonly poolBytes: number;
  readonly results: readonly Result[];
  readonly disagreements: readonly { name: string; message: string }[];
}

const UNITS = { MAC: "GMAC/s", B: "GB/s", element: "Gelement/s" } as const;

/** The reads come first in every run: other cases are compared with the first read. */
function selectCases(filter: string): readonly Case[] {
  const others = [
    ...[...LINEAR_CASES, ...ROWS_CASES, ...SPARSE_CASES, ...ABSORBED_CASES],
    ...[...ATTENTION_CASES, ...ELEMENT_CASES, ...PACKING_CASES],
  ];
  const wanted = filter.toLowerCase();
  const selected = others.filter(({ name }) => name.toLowerCase().includes(wanted));
  const reads = READ_CASES.some(({ name }) => name.toLowerCase().includes(wanted));
  if (selected.length === 0 && !reads) {
    throw new RangeError(`filter: expected part of a case's name, got "${filter}"`);
  }
  return [...READ_CASES, ...selected];
}

function timeCase(workspace: Workspace, item: Case, seconds: number, readRate?: number): Result {
  const { name, amount, unit, dramBytes } = item;
  workspace.reset();
  const { check, run } = item.prepare(workspace);
  check();
  workspace.bench.checkGuards();
  const timing = measure(name, run, seconds);
  const rate = amount / timing.medianMs / 1e6;
  const dramRate = dramBytes === undefined ? null : dramBytes / timing.medianMs / 1e6;
  const shareOfRead = dramRate === null ? null : dramRate / (readRate ?? dramRate);
  return {
    name,
    ...timing,
    rate,
    unit: UNITS[unit],
    dramGigabytesPerSecond: dramRate,
    shareOfRead,
  };
}

/** Columns of the table. */
const NAME_WIDTH = 66;
const MS_WIDTH = 10;
const QUARTILES_WIDTH = 19;
const RATE_WIDTH = 9;
const UNIT_WIDTH = 12;

const HEADER = [
  "kernel".padEnd(NAME_WIDTH + 1) + "median ms".padStart(MS_WIDTH - 1),
  "quartiles".padEnd(QUARTILES_WIDTH - 1),
  `${"rate".padStart(RATE_WIDTH)} ${"".padEnd(UNIT_WIDTH)}${"DRAM GB/s".padStart(MS_WIDTH)}`,
  "of read",
].join("  ");

function formatResult(result: Result): string {
  const { name, medianMs, lowMs, highMs, rate, unit } = result;
  const ms = (value: number): string => value.toPrecision(4).slice(0, 7);
  const quartiles = `${ms(lowMs)}..${ms(highMs)}`.padEnd(QUARTILES_WIDTH);
  const line = `${name.padEnd(NAME_WIDTH)}${ms(medianMs).padStart(MS_WIDTH)}  ${quartiles}`;
  const { dramGigabytesPerSecond, shareOfRead } = result;
  const rates = `${line}${rate.toFixed(2).padStart(RATE_WIDTH)} ${unit.padEnd(UNIT_WIDTH)}`;
  if (dramGigabytesPerSecond === null || shareOfRead === null) return rates.trimEnd();
  const share = `${(100 * shareOfRead).toFixed(0)} %`.padStart(9);
  return `${rates}${dramGigabytesPerSecond.toFixed(1).padStart(MS_WIDTH)}${share}`;
}

/** Runs the selected cases one after another and passes each line to `print`. */
async function runCases(
  { filter, seconds, variant }: { filter: string; seconds: number; variant: Variant },
  print: (line: string) => void,
): Promise<Report> {
  const cases = selectCases(filter).filter((item) => variant === "relaxed" || !item.isRelaxed);
  const machine = readMachine(variant);
  const workspace = await Workspace.create(machine.lastLevelCacheBytes, variant);
  const { poolBytes } = workspace;
  print(describeMachine(machine));
  print(`DRAM     cases go round ${poolBytes / 2 ** 20} MiB of weights, more than the caches hold`);
  print("cache    cases read the same weights each time, as far as the caches hold them");
  print(`timed    ${seconds} s each, after agreeing with a float64 reference\n\n${HEADER}`);
  const results: Result[] = [];
  const disagreements: { name: string; message: string }[] = [];
  for (const item of cases) {
    try {
      const result = timeCase(workspace, item, seconds, results[0]?.rate);
      results.push(result);
      print(formatResult(result));
    } catch (error) {
      const message = (error as Error).message;
      disagreements.push({ name: item.name, message });
      print(`${item.name.padEnd(NAME_WIDTH)} not timed: ${message}`);
    }
  }
  return { machine, poolBytes, results, disagreements };
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: "boolean" },
      seconds: { type: "string", default: "0.5" },
      variant: { type: "string", default: "simd" },
    },
  });
  const seconds = Number(values.seconds);
  if (!(seconds > 0)) {
    throw new RangeError(`--seconds: expected a number above 0, got "${values.seconds}"`);
  }
  const print = values.json ? () => {} : console.log;
  const variant = VARIANTS.find((name) => name === values.variant);
  if (variant === undefined) {
    throw new RangeError(`--variant: expected ${VARIANTS.join(", ")}, got "${values.variant}"`);
  }
  const report = await runCases({ filter: positionals.join(" "), seconds, variant }, print);
  if (values.json) console.log(JSON.stringify(report, null, 2));
  if (report.disagreements.length > 0) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
