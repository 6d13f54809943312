/**
 * Measures the memory of converting a folder of any size; run by hand:
 *
 *   node build/test/checkpoint/support/full-size.js MODEL.gguf [FOLDER-FOR-FILES]
 *
 * Exports the model as BF16, converts the folder as each type, and prints each run's seconds and
 * peak of resident memory. Fails above 600 MB. Needs three times the size of the model in BF16.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { QUANTIZE_CHOICES } from "../../../src/checkpoint/open-model.js";

const MOST_MB = 600;
const MAIN = resolve("build/src/cli/main.js");

/** Prints the peak when a process ends; maxRSS has the unit kB. */
const PROBE =
  "data:text/javascript,process.on('exit',()=>console.error(process.resourceUsage().maxRSS))";

/** Runs `plm`, and throws if it fails or takes too much memory. */
function measure(...args: string[]): void {
  const startMs = performance.now();
  const { status, stderr } = spawnSync(process.execPath, ["--import", PROBE, MAIN, ...args]);
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  const lines = String(stderr).trim().split("\n");
  const peakMb = Number(lines.at(-1)) / 1000;
  console.log(`plm ${args[0]} ${args.slice(3).join(" ")}: ${seconds} s, ${peakMb.toFixed(0)} MB`);
  if (status !== 0) throw new Error(lines.join("\n"));
  if (!(peakMb < MOST_MB)) throw new Error(`expected less than ${MOST_MB} MB`);
}

const [model, parent = tmpdir()] = process.argv.slice(2);
const folder = mkdtempSync(join(parent, "plm-full-size-"));
try {
  const checkpoint = join(folder, "checkpoint");
  measure("export", resolve(model), checkpoint, "--dtype", "bf16");
  for (const type of QUANTIZE_CHOICES) {
    measure("convert", checkpoint, join(folder, `${type}.gguf`), "--quantize", type);
  }
} finally {
  rmSync(folder, { recursive: true });
}
