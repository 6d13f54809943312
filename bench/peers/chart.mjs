// The chart of results: a group of bars for each scenario, ours in colour.

const WIDTH = 760;
const MARGIN = 24;
const BARS_X = 190;
const BARS_WIDTH = 400;
const ROW = 21;
const BAR = 15;
const HEADING = 26;
const GAP = 12;
const TOP = 66;

const OURS = "#3b5bdb";
const OURS_VARIANT = "#91a7ff";
const PEER = "#adb5bd";
const TEXT = "#212529";
const QUIET = "#5c636a";

const escaped = (text) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

function text(x, y, content, attributes = "") {
  return `<text x="${x}" y="${y}"${attributes && ` ${attributes}`}>${escaped(content)}</text>`;
}

function colourOf({ name, ours }) {
  if (!ours) return PEER;
  return name === "plm-wasm" ? OURS : OURS_VARIANT;
}

/** "2.31x, 4.00x" beside our bar: the peers in the order of their bars. */
function ratioLabel(name, { ratios }) {
  const own = ratios.filter(({ ours }) => ours === name);
  return own.map(({ median }) => `${median.toFixed(2)}x`).join(", ");
}

/** One engine's bar; bars are to scale within their scenario. */
function row(engine, y, scenario, largest) {
  const baseline = y + BAR - 4;
  const name = text(BARS_X - 10, baseline, engine.name, 'text-anchor="end"');
  if (engine.median === undefined) {
    const reason = `not measured: ${engine.failure}`.slice(0, 76);
    return `${name}\n${text(BARS_X, baseline, reason, `fill="${QUIET}"`)}`;
  }
  const width = Math.max(2, (BARS_WIDTH * engine.median) / largest).toFixed(1);
  const place = `x="${BARS_X}" y="${y}" width="${width}" height="${BAR}" rx="2"`;
  const valueX = (BARS_X + Number(width) + 8).toFixed(1);
  const ratio = ratioLabel(engine.name, scenario);
  const bold = ratio && `<tspan dx="8" font-weight="600" fill="${OURS}">${escaped(ratio)}</tspan>`;
  return [
    name,
    `<rect ${place} fill="${colourOf(engine)}"/>`,
    `<text x="${valueX}" y="${baseline}">${engine.median.toFixed(1)}${bold}</text>`,
  ].join("\n");
}

function group(scenario, y) {
  const largest = Math.max(...scenario.engines.map(({ median }) => median ?? 0));
  const rows = scenario.engines.map((engine, i) =>
    row(engine, y + HEADING + i * ROW, scenario, largest),
  );
  return [text(MARGIN, y + 16, scenario.title, 'font-weight="600"'), ...rows].join("\n");
}

/** The lines under the bars: the machine, and the meaning of the figures. */
function footOf({ machine, versions, rounds, files, short }) {
  const { cpu, cores, avxVnni } = machine;
  const names = Object.values(files).map(({ name }) => name);
  return [
    `Tokens a second, median of ${rounds} rounds in alternation; bold: how many times the ` +
      `rate of each peer, from the top.${short ? " SHORT." : ""}`,
    "Bars are to scale within a group. " +
      `node-llama-cpp ${versions["node-llama-cpp"]} is llama.cpp as native code.`,
    `${cpu}, ${cores} cores, AVX-VNNI ${avxVnni}; ${versions.node}, ${versions.chromium}.`,
    `${names.join(", ")}.`,
  ];
}

/** The scenarios that the chart has room for; all of them if there are no others. */
function chosenOf(scenarios) {
  const chosen = scenarios.filter(({ isMinor }) => !isMinor);
  return chosen.length > 0 ? chosen : scenarios;
}

/** A self-contained SVG on a card, so that it is readable on any background. */
export function drawChart(results) {
  const { scenarios, versions } = results;
  const groups = [];
  let y = TOP;
  for (const scenario of chosenOf(scenarios)) {
    groups.push(group(scenario, y));
    y += HEADING + scenario.engines.length * ROW + GAP;
  }
  const foot = footOf(results).map((line, i) =>
    text(MARGIN, y + 14 + i * 18, line, `font-size="12" fill="${QUIET}"`),
  );
  const height = y + 84;
  const title = `plm-wasm ${versions["plm-wasm"]} and its peers on PLM`;
  return `<!-- Made by bench/peers/run.mjs. -->
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}"
  font-family="system-ui, sans-serif" font-size="13" fill="${TEXT}" role="img">
<title>${escaped(title)}: tokens a second, more is better</title>
<rect x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8"
  fill="#fff" stroke="#dee2e6"/>
${text(MARGIN, 34, title, 'font-size="17" font-weight="600"')}
${text(MARGIN, 54, "Same file, same machine, same threads; more is better", `fill="${QUIET}"`)}
${groups.join("\n")}
${foot.join("\n")}
</svg>
`;
}
