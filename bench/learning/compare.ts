/**
 * Trains small models that differ in one idea of PLM and prints how well each learnt:
 * `node build/bench/learning/compare.js activations|attention|schedule --data FOLDER
 * [--seeds 1,2,3] [--tokens N] [--svg FILE]`. FOLDER has TinyStories (tinystories-train.txt and
 * tinystories-valid-0.8MB.no-separators.txt); --svg is the file for a chart of training losses.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type RunResult, readTexts, runVariant, type Texts } from "./run.js";
import { type Row, renderCurves, renderTable } from "./table.js";
import { COMPARISONS, type Variant } from "./variants.js";

interface Runs {
  readonly texts: Texts;
  readonly seeds: readonly number[];
  readonly tokens: number;
}

async function runsOf(variant: Variant, { texts, seeds, tokens }: Runs): Promise<RunResult[]> {
  const results: RunResult[] = [];
  for (const seed of seeds) {
    const startMs = performance.now();
    const result = await runVariant(variant, texts, { seed, tokens });
    const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
    const loss = result.loss.toFixed(4);
    console.error(`${variant.name}, seed ${seed}: held-out loss ${loss}, ${seconds} s`);
    results.push(result);
  }
  return results;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      data: { type: "string", default: "../shared/data/tinystories" },
      seeds: { type: "string", default: "1,2,3" },
      tokens: { type: "string", default: "1024000" },
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
  const runs: Runs = {
    texts: await readTexts(values.data, vocabSize),
    seeds: values.seeds.split(",").map(Number),
    tokens: Number(values.tokens),
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
