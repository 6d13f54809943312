/** Charts of training runs as pictures of their own. */
import { type Chart, renderChart } from "../../src/training/report/chart.js";
import { escapeHtml } from "../../src/training/report/html.js";
import { lightColours } from "../../src/training/report/report-style.js";

const WIDTH = 720;
const CHART_HEIGHT = 260;
/** Room for a key's line and its gap; width of a character. */
const KEY = 34;
const CHARACTER = 7;

const STYLE = `text { fill: var(--dim); font: 12px system-ui, sans-serif; }
.line { fill: none; stroke-width: 1.75; stroke-linejoin: round; stroke-linecap: round; }
.grid { stroke: var(--grid); } .tick { stroke: var(--dim); fill: none; }
.band { fill: var(--band); stroke: var(--page); stroke-width: 2; }`;

/** The charts one below another as an SVG file, with titles, and keys of several lines. */
export function drawCharts(charts: readonly Chart[]): string {
  const height = CHART_HEIGHT * charts.length;
  const parts = charts.map((chart, i) => {
    const size = `y="${i * CHART_HEIGHT}" width="${WIDTH}" height="${CHART_HEIGHT}"`;
    const title = `<text x="60" y="14">${escapeHtml(chart.title)}</text>`;
    const more = title + (chart.series.length > 1 ? renderKeys(chart) : "");
    return renderChart(chart)
      .replace("<svg ", `<svg ${size} `)
      .replace(/<\/svg>$/, `${more}</svg>`);
  });
  const name = escapeHtml(charts.map(({ title }) => title).join("; "));
  const size = `viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${name}"`;
  const frame = `<svg xmlns="http://www.w3.org/2000/svg" ${size}>`;
  const colours = lightColours(Math.max(...charts.map(({ series }) => series.length)));
  const style = `<style>\n:root { ${colours} }\n${STYLE}\n</style>`;
  return `${frame}${style}<rect width="100%" height="100%" fill="#fff"/>${parts.join("")}</svg>\n`;
}

/** Colours and names of the lines, to the right of the title; "layer 0" is followed by "1". */
function renderKeys({ series }: Chart): string {
  const numbered = series[0].label.replace(/\d+$/, "");
  const names = series.map(({ label }, i) => (i > 0 ? label.replace(numbered, "") : label));
  const widths = names.map((name) => KEY + name.length * CHARACTER);
  let x = WIDTH - widths.reduce((sum, width) => sum + width);
  const keys = series.map(({ color }, i) => {
    const key = `<path class="line" d="M${x} 10h16" stroke="${color}"/>`;
    const name = `<text x="${x + 20}" y="14">${escapeHtml(names[i])}</text>`;
    x += widths[i];
    return key + name;
  });
  return keys.join("");
}
