/**
 * Draws a training run: `node build/bench/learning/run-picture.js --run FOLDER --config CONFIG
 * --svg FILE`. FOLDER and CONFIG are those of `plm train`.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { chartsOf } from "../../src/training/report/report.js";
import { parseLog } from "../../src/training/run/log.js";
import { parseTrainingConfig } from "../../src/training/run/parse-config.js";
import { drawCharts } from "./picture.js";

const { values } = parseArgs({
  options: { run: { type: "string" }, config: { type: "string" }, svg: { type: "string" } },
});
const { run, config, svg } = values;
if (run === undefined || config === undefined || svg === undefined) {
  throw new RangeError("expected --run FOLDER, --config CONFIG and --svg FILE");
}
const lines = parseLog(readFileSync(join(run, "log.jsonl"), "utf8"));
const { schedule } = parseTrainingConfig(readFileSync(config, "utf8"));
writeFileSync(svg, drawCharts(chartsOf(lines, schedule)));
