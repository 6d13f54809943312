/**
 * What a model loses, as KL of its logits, if the inputs of one product have n bits and everything
 * else is exact (float64):
 *
 *   node build/bench/learning/bits.js --model FILE --text HELD_OUT [--windows 4] [--tokens 128]
 *
 * Inputs are rounded in blocks of 32, each with its own scale. The text's windows are evenly spaced
 * and have no context before them; the KL is the mean over all their positions. The last rows round
 * what the engine's precisions keep in 8 bits. `KL / share` is the KL at 8 bits over the share of a
 * layer's multiplications: low if 8 bits save much and cost little. --json prints only figures.
 */
import { openAsBlob, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { inspectModel } from "../../src/index.js";
import { PRECISIONS, type Product, planesOf } from "../../src/model/precision.js";
import { decodeText } from "../../src/training/data/corpus.js";
import { readReferenceModel } from "../../test/model/support/reference-forward.js";
import { PRODUCTS, RoundingBench, shareOfLayer } from "./rounding.js";

const BITS: readonly number[] = [7, 8, 9, 10];

/** A row of the table. */
interface Row {
  readonly name: string;
  /** Share of a layer's multiplications; null for the output head. */
  readonly share: number | null;
  /** KL by bits. */
  readonly kl: Readonly<Record<number, number>>;
}

interface Arguments {
  readonly model: string;
  readonly text: string;
  readonly windows: number;
  readonly tokens: number;
  readonly json: boolean;
}

function readArguments(): Arguments {
  const { values } = parseArgs({
    options: {
      model: { type: "string" },
      text: { type: "string" },
      windows: { type: "string", default: "4" },
      tokens: { type: "string", default: "128" },
      json: { type: "boolean", default: false },
    },
  });
  const { model, text, json } = values;
  if (model === undefined || text === undefined) {
    throw new RangeError("expected --model FILE --text HELD_OUT");
  }
  const windows = Number(values.windows);
  const tokens = Number(values.tokens);
  for (const [name, count] of Object.entries({ windows, tokens })) {
    if (Number.isInteger(count) && count >= 1) continue;
    throw new RangeError(`--${name}: expected a positive integer, got ${count}`);
  }
  return { model, text, windows, tokens, json };
}

/** Windows of a text's tokens, evenly apart. */
async function readWindows({ model, text, windows, tokens }: Arguments): Promise<number[][]> {
  const { tokenizer } = await inspectModel(await openAsBlob(model));
  const all = tokenizer.encode(decodeText(text, readFileSync(text)));
  if (all.length < windows * tokens) {
    throw new RangeError(`--text: expected ${windows * tokens} tokens or more, got ${all.length}`);
  }
  return Array.from({ length: windows }, (_, i) => {
    const first = Math.floor((i * all.length) / windows);
    return Array.from(all.slice(first, first + tokens));
  });
}

/** The rows; each is passed to `print` when it is ready. */
function measureRows(bench: RoundingBench, print: (row: Row) => void): Row[] {
  const rowOf = (name: string, products: readonly string[], bits: readonly number[]): Row => {
    const shares = products.map((product) => shareOfLayer(bench.model, product));
    const layers = shares.filter((share) => !Number.isNaN(share));
    const share = layers.length === 0 ? null : layers.reduce((sum, each) => sum + each, 0);
    const kl = Object.fromEntries(bits.map((n) => [n, bench.divergence(products, n)]));
    const row = { name, share, kl };
    print(row);
    return row;
  };
  const rows = PRODUCTS.map((product) => rowOf(product, [product], BITS));
  rows.push(rowOf("all", PRODUCTS, BITS));
  for (const precision of PRECISIONS) {
    const rounded = PRODUCTS.filter(
      (product) => product !== "ffn_down" && planesOf(precision, product as Product) === 1,
    );
    if (rounded.length > 0) rows.push(rowOf(`${precision}: ${rounded.join(", ")}`, rounded, [8]));
  }
  return rows;
}

function formatRow({ name, share, kl }: Row): string {
  const figures = BITS.map((bits) => (kl[bits] === undefined ? "" : kl[bits].toExponential(1)));
  const percent = share === null ? "last position only" : `${(100 * share).toFixed(1)} %`;
  const ratio = share === null ? "" : (kl[8] / share).toExponential(1);
  return `| ${[name, percent, ...figures, ratio].join(" | ")} |`;
}

async function main(): Promise<void> {
  const options = readArguments();
  const windows = await readWindows(options);
  const model = await readReferenceModel(await openAsBlob(options.model));
  const bench = new RoundingBench(model, windows);
  const { zeroShares } = bench;
  const positions = options.windows * options.tokens;
  if (options.json) {
    console.log(JSON.stringify({ positions, zeroShares, rows: measureRows(bench, () => {}) }));
    return;
  }
  const shares = zeroShares.map((share) => `${(100 * share).toFixed(1)} %`).join(", ");
  console.log(`${positions} positions; zero share by layer ${shares}\n`);
  const columns = BITS.map((bits) => `${bits} bits`).join(" | ");
  console.log(`| input of | share of a layer's MACs | ${columns} | KL / share |`);
  console.log(`| --- | --- |${" --- |".repeat(BITS.length + 1)}`);
  measureRows(bench, (row) => console.log(formatRow(row)));
}

try {
  await main();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
