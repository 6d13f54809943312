/** The report of a training run: one self-contained HTML page without scripts. */

import type { ScheduleConfig, TrainingConfig } from "../run/config.js";
import type { Evaluation, LogLine } from "../run/log.js";
import { phaseEnds } from "../run/schedule.js";
import { withThousands } from "./axis.js";
import { type Band, type Chart, type Point, renderChart, type Series } from "./chart.js";
import { escapeHtml } from "./html.js";
import { pageStyle } from "./report-style.js";

/** A report's contents besides the log. */
export interface ReportOptions {
  readonly title: string;
  /** The run's config, shown at the end. */
  readonly config: TrainingConfig;
}

/** The number of samples shown, the latest. */
const MOST_SAMPLES = 12;

/** The page for the steps of a log, in order, as from `parseLog`. */
export function renderReport(lines: readonly LogLine[], options: ReportOptions): string {
  const title = escapeHtml(options.title);
  const layers = layersOf(lines);
  const parts = [
    `<h1>${title}</h1>`,
    renderSummary(lines, options.config.schedule),
    ...chartsOf(lines, options.config.schedule).map(renderFigure),
    renderEvaluations(lines),
    renderSamples(lines),
    `<h2>Config</h2><pre>${escapeHtml(JSON.stringify(options.config, null, 2))}</pre>`,
  ];
  return (
    `<!doctype html>\n<html lang="en"><head><meta charset="utf-8">` +
    `<meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title>` +
    `<style>${pageStyle(layers)}</style></head>\n<body>\n${parts.join("\n")}\n</body></html>\n`
  );
}

function pointsOf(lines: readonly LogLine[], of: (line: LogLine) => number | null): Point[] {
  return lines.map((line) => [line.step, of(line)]);
}

function layersOf(lines: readonly LogLine[]): number {
  return lines.reduce((most, { zeroShares }) => Math.max(most, zeroShares.length), 0);
}

/** The steps of a log over the run: loss, rate, gradient norm, zero shares. */
export function chartsOf(lines: readonly LogLine[], schedule: ScheduleConfig): Chart[] {
  const held = lines.flatMap(({ step, evaluation }): Point[] =>
    evaluation === undefined ? [] : [[step, evaluation.loss]],
  );
  const one = (label: string, of: (line: LogLine) => number | null): Series[] => [
    { label, color: "var(--train)", points: pointsOf(lines, of) },
  ];
  return [
    {
      title: "Loss, nats a token",
      fit: 0.95,
      series: [
        ...one("training", ({ loss }) => loss),
        { label: "held-out", color: "var(--held)", points: held, dots: true },
      ],
    },
    { title: "Learning rate", series: one("rate", ({ rate }) => rate), bands: bandsOf(schedule) },
    {
      title: "Norm of the gradient",
      fit: 0.99,
      series: one("norm", ({ gradNorm }) => gradNorm),
    },
    {
      title: "Zeros after the squared ReLU",
      percent: true,
      series: Array.from({ length: layersOf(lines) }, (_, layer) => ({
        label: `layer ${layer}`,
        color: `var(--layer-${layer})`,
        points: pointsOf(lines, ({ zeroShares }) => zeroShares[layer] ?? null),
      })),
    },
  ];
}

/** The parts of the schedule that are not empty. */
function bandsOf(schedule: ScheduleConfig): Band[] {
  const { warmup, stable, decay } = phaseEnds(schedule);
  const bands = [
    { label: "warm-up", from: 0, to: warmup },
    { label: "stable", from: warmup, to: stable },
    { label: "decay", from: stable, to: decay },
    { label: "constant", from: decay, to: schedule.steps },
  ];
  return bands.filter(({ from, to }) => from < to);
}

function renderFigure(chart: Chart): string {
  const keys = chart.series.map(
    ({ label, color }) => `<span><i style="background:${color}"></i>${escapeHtml(label)}</span>`,
  );
  const spans = (chart.bands ?? []).map(
    ({ label, to }) => `${label} to step ${withThousands(String(Math.floor(to)))}`,
  );
  const caption = chart.series.length > 1 ? keys.join(" ") : escapeHtml(spans.join(", "));
  return (
    `<figure><h2>${escapeHtml(chart.title)}</h2>${renderChart(chart)}` +
    `<figcaption>${caption}</figcaption></figure>`
  );
}

function renderSummary(lines: readonly LogLine[], { steps }: ScheduleConfig): string {
  const last = lines.at(-1);
  if (last === undefined) return "<p>Nothing was logged.</p>";
  const best = bestOf(lines);
  const speeds = lines.map((line) => line.tokensPerSecond).sort((a, b) => a - b);
  const facts: [string, string][] = [
    ["steps", `${withThousands(String(last.step))} of ${withThousands(String(steps))}`],
    ["tokens", withThousands(String(last.tokens))],
    ["training loss", show(last.loss)],
    ["tokens/s, median", show(speeds[speeds.length >> 1], 0)],
  ];
  if (best !== undefined) {
    facts.push(
      ["best held-out loss", `${show(best.loss)} (step ${withThousands(String(best.step))})`],
      ["bits per byte", show(best.bitsPerByte)],
      ["perplexity", show(best.perplexity, 2)],
    );
  }
  const items = facts.map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`);
  return `<dl>${items.join("")}</dl>`;
}

/** A number of the log, if it is there. */
function show(value: number | null | undefined, decimals = 3): string {
  if (typeof value !== "number" || !Number.isFinite(value)) return "none";
  return withThousands(value.toFixed(decimals));
}

type Evaluated = Evaluation & { readonly step: number };

function evaluationsOf(lines: readonly LogLine[]): Evaluated[] {
  return lines.flatMap(({ step, evaluation }) =>
    evaluation === undefined ? [] : [{ ...evaluation, step }],
  );
}

function bestOf(lines: readonly LogLine[]): Evaluated | undefined {
  const finite = evaluationsOf(lines).filter(({ loss }) => Number.isFinite(loss));
  return finite.sort((a, b) => a.loss - b.loss)[0];
}

function renderEvaluations(lines: readonly LogLine[]): string {
  const rows = evaluationsOf(lines).map(({ step, loss, bitsPerByte, perplexity }) => {
    const cells = [withThousands(String(step)), show(loss), show(bitsPerByte), show(perplexity, 2)];
    return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`;
  });
  if (rows.length === 0) return "";
  const names = ["step", "loss", "bits per byte", "perplexity"];
  const head = names.map((name) => `<th scope="col">${name}</th>`).join("");
  return (
    `<h2>Held-out text</h2><details><summary>${rows.length} evaluations</summary>` +
    `<table><thead><tr>${head}</tr></thead><tbody>${rows.join("")}</tbody></table></details>`
  );
}

function renderSamples(lines: readonly LogLine[]): string {
  const samples = lines.filter(({ sample }) => sample !== undefined).slice(-MOST_SAMPLES);
  if (samples.length === 0) return "";
  const items = samples.reverse().map(({ step, sample }) => {
    const name = `<h3>Step ${withThousands(String(step))}</h3>`;
    return `${name}<blockquote>${escapeHtml(sample ?? "")}</blockquote>`;
  });
  return `<h2>What it wrote</h2>${items.join("")}`;
}
