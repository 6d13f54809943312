// From measured runs to results: rates, medians, ratios within a round, and the table of them.
import { ENGINES } from "./scenarios.mjs";

/** More than this share of a core used by others makes a run worth a warning. */
const BUSY_CORES = 0.1;

/** The median; the mean of the middle two if the count is even; undefined without values. */
export function median(values) {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const isOurs = (name) => ENGINES[name].ours === true;

/** Our rate over each peer's, round by round, and the median of that. */
function ratiosOf(engines) {
  const ratios = [];
  for (const ours of engines.filter(({ name }) => isOurs(name))) {
    for (const peer of engines.filter(({ name }) => !isOurs(name))) {
      const count = Math.min(ours.rates.length, peer.rates.length);
      const rounds = ours.rates.slice(0, count).map((rate, i) => rate / peer.rates[i]);
      if (count > 0) {
        ratios.push({ ours: ours.name, peer: peer.name, median: median(rounds), rounds });
      }
    }
  }
  return ratios;
}

/** The cores that others used in a scenario, median over its runs; 0 if unknown. */
const coresOf = (engines, key) =>
  median(engines.flatMap(({ runs }) => runs.map((run) => run[key] ?? 0))) ?? 0;

/**
 * Measured scenarios with `rates` (tokens per second) and their `median` by engine, `ratios` of
 * ours to a peer's, and the cores used meanwhile by waiting engines and by other processes.
 */
export function summarize(scenarios) {
  return scenarios.map(({ engines, ...scenario }) => {
    const { tokens, steps, sequences = 1, shared, tail } = scenario;
    const count = shared === undefined ? (tokens ?? steps * sequences) : shared + tail;
    const rated = engines.map(({ runs, ...engine }) => {
      const rates = runs.map(({ ms }) => (count * 1000) / ms);
      return { ...engine, ours: isOurs(engine.name), median: median(rates), rates };
    });
    return {
      ...scenario,
      engines: rated,
      ratios: ratiosOf(rated),
      waitingCores: coresOf(engines, "waitingCores"),
      foreignCores: coresOf(engines, "foreignCores"),
    };
  });
}

/** An engine's line: median, range, and the multiple of each peer's rate. */
function lineOf({ name, about, median, rates, failure }, { threads, ratios }) {
  const label = `  ${name.padEnd(22)}`;
  if (median === undefined) return `${label}not measured: ${failure}`;
  const range = `${Math.min(...rates).toFixed(1)}-${Math.max(...rates).toFixed(1)}`;
  const notes = ratios
    .filter(({ ours }) => ours === name)
    .map(({ peer, median }) => `${median.toFixed(2)}x ${peer}`);
  if (about.threads !== threads) notes.push(`on ${about.threads} of ${threads} threads`);
  if (failure !== undefined) notes.push(`ended after ${rates.length} rounds: ${failure}`);
  return `${label}${median.toFixed(1).padStart(8)}  ${range.padEnd(13)} ${notes.join(", ")}`;
}

/** The table for the terminal: medians and ranges in tokens a second, ratios ours to theirs. */
export function describeScenarios(scenarios) {
  const lines = [];
  for (const scenario of scenarios) {
    lines.push("", `${scenario.title} (tokens/s: median, range; times a peer's rate)`);
    lines.push(...scenario.engines.map((engine) => lineOf(engine, scenario).trimEnd()));
    const busy = [
      ["engines that should have waited", scenario.waitingCores],
      ["other processes", scenario.foreignCores],
    ].filter(([, cores]) => cores > BUSY_CORES);
    for (const [name, cores] of busy) {
      lines.push(`  not quiet: ${name} used ${cores.toFixed(1)} cores`);
    }
  }
  return lines.join("\n");
}
