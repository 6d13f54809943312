/**
 * Trains small models that differ in one idea of PLM and prints how well each learnt:
 * `node build/bench/learning/compare.js activations|attention|schedule --data FOLDER
 * [--seeds 1,2,3] [--tokens N] [--runs FILE] [--svg FILE]`. FOLDER has TinyStories
 * (tinystories-train.txt and tinystories-valid-0.8MB.no-separators.txt). Finished runs are kept in
 * --runs, a JSON object a line, and not made again; --svg is where training losses are drawn.
 */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type RunResult, readTexts, runVariant, type Texts } from "./run.js";
import { type Row, renderCurves, renderTable } from "./table.js";
import { COMPARISONS, type Variant } from "./variants.js";

interface Runs {
  readonly seeds: readonly number[];
  readonly tokens: number;
  /** A file of finished runs. */
  readonly path?: string;
  readonly texts: () => Promise<Texts>;
}

/** Finished runs of the same tokens, from the file. */
function finished({ path, tokens }: Runs): RunResult[] {
  if (path === undefined || !existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").trim().split("\n").filter(Boolean);
  const runs = lines.map((line): RunResult => JSON.parse(line));
  return runs.filter((run) => run.tokens >= tokens && run.tokens < tokens + 1024);
}

async function runsOf(variant: Variant, runs: Runs): Promise<RunResult[]> {
  const done = finished(runs);
  const results: RunResult[] = [];
  for (const seed of runs.seeds) {
    const before = done.find((run) => run.variant === variant.name && run.seed === seed);
    results.push(before ?? (await newRun(variant, seed, runs)));
  }
  return results;
}

async function newRun(variant: Variant, seed: number, runs: Runs): Promise<RunResult> {
  const startMs = performance.now();
  const result = await runVariant(variant, await runs.texts(), { seed, tokens: runs.tokens });
  const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
  const loss = result.loss.toFixed(4);
  console.error(`${variant.name}, seed ${seed}: held-out loss ${loss}, ${seconds} s`);
  if (runs.path !== undefined) appendFileSync(runs.path, `${JSON.stringify(result)}\n`);
  return result;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      data: { type: "string", default: "../shared/data/tinystories" },
      seeds: { type: "string", default: "1,2,3" },
      tokens: { type: "string", default: "1024000" },
      runs: { type: "string" },
      svg: { type: "string" },
    },
  });
  const [comparison] = positionals;
  const variants = Object.hasOwn(COMPARISONS, comparison) ? COMPARISONS[comparison] : undefined;
  if (variants === undefined) {
    const names = Object.keys(COMPARISONS).join(", ");
    throw new RangeError(`expected one of ${names}, got ${comparison}`);
  }
  const { vocabSize } = [...variants.values()][0].model;
  let texts: Promise<Texts> | undefined;
  const runs: Runs = {
    seeds: values.seeds.split(",").map(Number),
    tokens: Number(values.tokens),
    path: values.runs,
    texts: () => {
      texts ??= readTexts(values.data, vocabSize);
      return texts;
    },
  };
  const rows: Row[] = [];
  for (const [label, variant] of variants) {
    rows.push({ label, variant, runs: await runsOf(variant, runs) });
  }
  console.log(
    `${runs.tokens} tokens a run, seeds ${values.seeds}, Node ${process.versions.node}\n`,
  );
  console.log(renderTable(comparison, rows));
  if (values.svg !== undefined) writeFileSync(values.svg, renderCurves(rows));
}

await main();
