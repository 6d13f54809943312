/** A measurement as text and as a chart, to be shared. */
import type { Model } from "plm-wasm";
import { formatBytes, formatCount, formatRate } from "../interface/amounts.js";
import type { Measurement, Rates } from "./measure.js";

export interface Report {
  readonly title: string;
  readonly facts: string;
  readonly machine: string;
  readonly measurement: Measurement;
}

export function reportOf(model: Model, name: string, measurement: Measurement): Report {
  const { memory } = model.plan;
  const threads = model.threads === 1 ? "1 thread" : `${model.threads} threads`;
  return {
    title: `${name}, ${formatBytes(memory.bytes("weights"))} of weights`,
    facts: `plm-wasm, ${threads}, ${model.variant} kernels`,
    machine: `${browserName()}, ${navigator.hardwareConcurrency} processors`,
    measurement,
  };
}

/** The browser and its version, such as "Firefox 153"; what it says of itself else. */
function browserName(): string {
  const { userAgent } = navigator;
  const [, name, version] = /(Edg|Firefox|Chrome)\/(\d+)/.exec(userAgent) ?? [];
  if (name !== undefined) return `${name === "Edg" ? "Edge" : name} ${version}`;
  const [, safari] = /Version\/(\d+)[\d.]* (?:Mobile\/\w+ )?Safari/.exec(userAgent) ?? [];
  return safari === undefined ? "another browser" : `Safari ${safari}`;
}

const lineOf = (what: string, { median, values }: Rates): string =>
  `${what}: ${formatRate(median)} tokens/s (median of ${values.length}; ` +
  `${formatRate(Math.min(...values))} to ${formatRate(Math.max(...values))})`;

export function textOf({ title, facts, machine, measurement }: Report): string {
  const { promptTokens, writtenTokens, prefill, decode } = measurement;
  return [
    title,
    facts,
    machine,
    lineOf(`reading ${formatCount(promptTokens)} tokens`, prefill),
    lineOf(`writing ${formatCount(writtenTokens)} tokens`, decode),
  ].join("\n");
}

const WIDTH = 560;
const LEFT = 24;
const BAR_WIDTH = WIDTH - 2 * LEFT;

const escapeXml = (text: string): string =>
  text.replace(/[<>&"]/g, (found) => `&#${found.charCodeAt(0)};`);

/** Bars of one kind, each repetition a tick on the bar of their median. */
function barsOf(y: number, label: string, { median, values }: Rates): string {
  const most = Math.max(...values) * 1.05;
  const x = (rate: number): number => LEFT + (BAR_WIDTH * rate) / most;
  const ticks = values.map(
    (rate) => `<path d="M${x(rate).toFixed(1)} ${y + 12}v26" stroke="#7a2c10" stroke-width="1.5"/>`,
  );
  return [
    `<text x="${LEFT}" y="${y}" font-size="14">${escapeXml(label)}</text>`,
    `<text x="${WIDTH - LEFT}" y="${y}" font-size="14" font-weight="700" text-anchor="end">`,
    `${formatRate(median)} tokens/s</text>`,
    `<rect x="${LEFT}" y="${y + 12}" width="${BAR_WIDTH}" height="26" rx="5" fill="#f0e4dc"/>`,
    `<rect x="${LEFT}" y="${y + 12}" width="${(x(median) - LEFT).toFixed(1)}" height="26"`,
    ` rx="5" fill="#d9704a"/>`,
    ...ticks,
  ].join("");
}

/** The chart, as a file of its own: its colours do not follow the page's. */
export function chartOf({ title, facts, machine, measurement }: Report): string {
  const { promptTokens, writtenTokens, prefill, decode } = measurement;
  const name = escapeXml(`${title}: ${formatRate(decode.median)} tokens a second`);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} 250" role="img"`,
    ` width="${WIDTH}" height="250" aria-label="${name}"`,
    ` font-family="system-ui, sans-serif" fill="#231f1b">`,
    `<rect width="${WIDTH}" height="250" rx="10" fill="#fffdfb"/>`,
    `<text x="${LEFT}" y="36" font-size="17" font-weight="700">${escapeXml(title)}</text>`,
    `<text x="${LEFT}" y="58" font-size="13" fill="#655d55">`,
    `${escapeXml(`${facts}; ${machine}`)}</text>`,
    barsOf(94, `Reading ${promptTokens} tokens`, prefill),
    barsOf(170, `Writing ${writtenTokens} tokens`, decode),
    `<text x="${LEFT}" y="232" font-size="12" fill="#655d55">`,
    `Bars are medians, lines the ${decode.values.length} repetitions.</text></svg>`,
  ].join("");
}
