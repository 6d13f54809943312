/** Line charts as SVG without scripts. Colours are the page's CSS variables. */
import { type Axis, axisOf, MOST_VALUE, withThousands } from "./axis.js";
import { escapeHtml } from "./html.js";

/** A value at a step; null leaves a gap. */
export type Point = readonly [step: number, value: number | null];

/** A line. */
export interface Series {
  readonly label: string;
  /** A CSS colour, as var(--train). */
  readonly color: string;
  /** In the order of steps. */
  readonly points: readonly Point[];
  /** Whether each point is marked. */
  readonly dots?: boolean;
}

/** A range of steps. */
export interface Band {
  readonly label: string;
  readonly from: number;
  readonly to: number;
}

/** A chart over steps. */
export interface Chart {
  readonly title: string;
  readonly series: readonly Series[];
  readonly bands?: readonly Band[];
  /** Whether values are shares, labelled as percentages. */
  readonly percent?: boolean;
  /** The share of points that must fit; higher ones may be beyond the top. All by default. */
  readonly fit?: number;
}

const WIDTH = 720;
const HEIGHT = 260;
const LEFT = 60;
const RIGHT = 34;
const TOP = 22;
const BOTTOM = 40;
/** The most points of a line; more are averaged. */
const MOST_POINTS = 600;
/** Width of a character in the charts' font, at most. */
const CHARACTER = 7;

/** Maps steps and values to the picture. */
interface Frame {
  readonly x: Axis;
  readonly y: Axis;
  toX(step: number): string;
  toY(value: number): string;
}

/** The chart as an svg element, or a sentence if there is nothing to draw. */
export function renderChart(chart: Chart): string {
  const series = chart.series.map((line) => ({ ...line, points: thin(line.points) }));
  const points = series.flatMap((line) => line.points).filter(isDrawn);
  if (points.length === 0) return `<p>${escapeHtml(chart.title)}: no values.</p>`;
  const frame = frameOf(points, chart.fit ?? 1);
  const lines = series.map((line) => renderSeries(line, frame)).join("");
  const bands = (chart.bands ?? []).map((band) => renderBand(band, frame)).join("");
  const title = escapeHtml(chart.title);
  const clip = `clip-${title.replace(/\W+/g, "-")}`;
  return (
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">` +
    `<clipPath id="${clip}"><rect x="0" y="${TOP - 3}" width="${WIDTH}" height="${HEIGHT}"/>` +
    `</clipPath>${bands}${renderGrid(frame, chart.percent === true)}` +
    `<g clip-path="url(#${clip})">${lines}</g></svg>`
  );
}

type Drawn = readonly [number, number];

/** Whether a point has a value that an axis can show. */
function isDrawn(point: Point): point is Drawn {
  return point[1] !== null && Math.abs(point[1]) < MOST_VALUE;
}

/** A frame in which the share `fit` of the points lies. */
function frameOf(points: readonly Drawn[], fit: number): Frame {
  const extent = (index: 0 | 1, share: number): [number, number] => {
    const sorted = points.map((point) => point[index]).sort((a, b) => a - b);
    return [sorted[0], sorted[Math.ceil(share * sorted.length) - 1]];
  };
  const steps = axisOf(...extent(0, 1), false);
  const x = {
    ...steps,
    ticks: steps.ticks.filter(Number.isInteger),
    label: (step: number): string => withThousands(String(step)),
  };
  const y = axisOf(...extent(1, fit), true);
  const share = (value: number, { min, max }: Axis): number => (value - min) / (max - min);
  return {
    x,
    y,
    toX: (step) => (LEFT + share(step, x) * (WIDTH - LEFT - RIGHT)).toFixed(1),
    toY: (value) => (HEIGHT - BOTTOM - share(value, y) * (HEIGHT - TOP - BOTTOM)).toFixed(1),
  };
}

/** Averages runs of points, so that they are at most MOST_POINTS; a run without values is a gap. */
function thin(points: readonly Point[]): readonly Point[] {
  const size = Math.ceil(points.length / MOST_POINTS);
  if (size <= 1) return points;
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  return Array.from({ length: Math.ceil(points.length / size) }, (_, i): Point => {
    const run = points.slice(i * size, (i + 1) * size);
    const drawn = run.filter(isDrawn);
    if (drawn.length === 0) return [run[0][0], null];
    return [mean(drawn.map(([step]) => step)), mean(drawn.map(([, value]) => value))];
  });
}

function renderSeries({ label, color, points, dots }: Series, frame: Frame): string {
  const { toX, toY } = frame;
  let path = "";
  let marks = "";
  let open = false;
  for (const point of points) {
    if (!isDrawn(point)) {
      open = false;
      continue;
    }
    const [x, y] = [toX(point[0]), toY(point[1])];
    // A line of length 0 with round ends makes a point between gaps visible.
    path += open ? `L${x} ${y}` : `M${x} ${y}h0`;
    open = true;
    if (dots && point[1] <= frame.y.max)
      marks += `<circle cx="${x}" cy="${y}" r="3" fill="${color}"/>`;
  }
  if (path === "") return "";
  const title = `<title>${escapeHtml(label)}</title>`;
  return `<g>${title}<path class="line" d="${path}" stroke="${color}"/>${marks}</g>`;
}

function renderGrid({ x, y, toX, toY }: Frame, percent: boolean): string {
  const bottom = HEIGHT - BOTTOM;
  const rows = y.ticks.map((tick) => {
    const at = toY(tick);
    const label = percent ? `${Number((tick * 100).toPrecision(4))} %` : y.label(tick);
    return (
      `<path class="grid" d="M${LEFT} ${at}H${WIDTH - RIGHT}"/>` +
      `<text x="${LEFT - 8}" y="${at}" dy="4" text-anchor="end">${label}</text>`
    );
  });
  const columns = x.ticks.map((tick) => {
    const at = toX(tick);
    return (
      `<path class="tick" d="M${at} ${bottom}v5"/>` +
      `<text x="${at}" y="${bottom + 18}" text-anchor="middle">${x.label(tick)}</text>`
    );
  });
  const middle = (LEFT + WIDTH - RIGHT) / 2;
  const name = `<text x="${middle}" y="${HEIGHT - 4}" text-anchor="middle">step</text>`;
  const axis = `<path class="tick" d="M${LEFT} ${bottom}H${WIDTH - RIGHT}"/>`;
  return [...rows, ...columns, axis, name].join("");
}

/** The visible part of a band, with its name if that fits. */
function renderBand({ label, from, to }: Band, { x, toX }: Frame): string {
  const [first, last] = [Math.max(from, x.min), Math.min(to, x.max)];
  if (!(first < last)) return "";
  const [left, right] = [Number(toX(first)), Number(toX(last))];
  const width = (right - left).toFixed(1);
  const fits = right - left >= label.length * CHARACTER;
  const name = `<text x="${((left + right) / 2).toFixed(1)}" y="14" text-anchor="middle">`;
  return (
    `<g><title>${escapeHtml(label)}</title><rect class="band" x="${left}" y="${TOP}" ` +
    `width="${width}" height="${HEIGHT - TOP - BOTTOM}"/>` +
    `${fits ? `${name}${escapeHtml(label)}</text>` : ""}</g>`
  );
}
