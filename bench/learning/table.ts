/** Comparisons as Markdown tables and pictures. */
import { drawCharts } from "./picture.js";
import { mean, type RunResult } from "./run.js";
import { cacheNumbers, downProducts, upProducts, type Variant } from "./variants.js";

/** A variant's runs, one per seed, seeds in the same order for all variants. */
export interface Row {
  readonly label: string;
  readonly variant: Variant;
  readonly runs: readonly RunResult[];
}

const COLORS = ["#3f66cc", "#c2480a", "#2a8a57"];

/** Columns that only some comparisons have. */
const COLUMNS: Readonly<Record<string, readonly Column[]>> = {
  activations: [
    { title: "zero share", cell: ({ runs }) => percent(zeroShare(runs)) },
    { title: "by layer", cell: ({ runs }) => zeroSharesByLayer(runs) },
    {
      title: "MLP MAC a token",
      cell: ({ variant, runs }) =>
        thousands(upProducts(variant) + downProducts(variant, zeroShare(runs))),
    },
    {
      title: "of them `down`",
      cell: ({ variant, runs }) => thousands(downProducts(variant, zeroShare(runs))),
    },
    {
      title: "Q8_0 bytes of `down` read",
      cell: ({ variant, runs }) => thousands((downProducts(variant, zeroShare(runs)) * 34) / 32),
    },
  ],
  attention: [
    { title: "intermediate size", cell: ({ variant }) => `${variant.model.intermediateSize}` },
    { title: "cache bytes a token, f16", cell: ({ variant }) => `${2 * cacheNumbers(variant)}` },
  ],
  schedule: [],
};

interface Column {
  readonly title: string;
  readonly cell: (row: Row) => string;
}

const percent = (share: number): string => (share === 0 ? "0" : `${(100 * share).toFixed(1)} %`);
const thousands = (n: number): string => Math.round(n).toLocaleString("en-US");
const signed = (n: number): string => `${n < 0 ? "-" : "+"}${Math.abs(n).toFixed(3)}`;

function zeroShare(runs: readonly RunResult[]): number {
  return mean(runs.map(({ zeroShares }) => mean(zeroShares)));
}

function zeroSharesByLayer(runs: readonly RunResult[]): string {
  const layers = runs[0].zeroShares.map((_, i) => mean(runs.map((run) => run.zeroShares[i])));
  return layers.every((share) => share === 0)
    ? "-"
    : layers.map((share) => (100 * share).toFixed(0)).join(", ");
}

/** The mean, with the least and the most of the seeds. */
function spread(values: readonly number[], show: (n: number) => string): string {
  const range = `${show(Math.min(...values))} to ${show(Math.max(...values))}`;
  return values.length === 1 ? show(values[0]) : `${show(mean(values))} (${range})`;
}

/** The table: differences are from the first row, seed by seed. */
export function renderTable(comparison: string, rows: readonly Row[]): string {
  const columns: readonly Column[] = [
    { title: "", cell: ({ label }) => label },
    { title: "parameters", cell: ({ runs }) => thousands(runs[0].parameters) },
    {
      title: "held-out loss",
      cell: ({ runs }) =>
        spread(
          runs.map(({ loss }) => loss),
          (n) => n.toFixed(3),
        ),
    },
    {
      title: "difference",
      cell: ({ runs }) => differences(runs, rows[0].runs),
    },
    { title: "bits a byte", cell: ({ runs }) => mean(runs.map((r) => r.bitsPerByte)).toFixed(3) },
    ...COLUMNS[comparison],
  ];
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [
    line(columns.map(({ title }) => title)),
    line(columns.map(() => "---")),
    ...rows.map((row) => line(columns.map(({ cell }) => cell(row)))),
  ].join("\n");
}

function differences(runs: readonly RunResult[], first: readonly RunResult[]): string {
  if (runs === first) return "";
  return spread(
    runs.map(({ loss }, i) => loss - first[i].loss),
    signed,
  );
}

/** Training losses as a picture: the mean of the seeds, smoothed over `STEPS` points. */
export function renderCurves(rows: readonly Row[]): string {
  const series = rows.map(({ label, runs }, i) => ({
    label,
    color: COLORS[i],
    points: smooth(
      runs[0].curve.map(([step], at) => [step, mean(runs.map(({ curve }) => curve[at][1]))]),
    ),
  }));
  return drawCharts([{ title: "training loss, nats a token", series, fit: 0.85 }]);
}

/** Points on either side that are averaged into a point. */
const NEIGHBOURS = 2;

function smooth(points: readonly (readonly [number, number])[]): [number, number][] {
  return points.map(([step], i) => {
    const near = points.slice(Math.max(0, i - NEIGHBOURS), i + NEIGHBOURS + 1);
    return [step, mean(near.map(([, value]) => value))];
  });
}
