// Runs scenarios: loads the engines of a group one after another, then measures in rounds.
import { setTimeout } from "node:timers/promises";
import { Engine } from "./engine.mjs";
import { readProcessorMs } from "./processor.mjs";
import { ENGINES, titleOf } from "./scenarios.mjs";

/** Tokens of uncounted runs. */
const WARM_UP_TOKENS = 16;
const WARM_UP_STEPS = 4;

/** Pause after them: until browsers have finished compiling and collecting in the background. */
const SETTLE_MS = 2000;

const secondsSince = (startMs) => `${((performance.now() - startMs) / 1000).toFixed(1)} s`;

/** Consecutive scenarios that the same loaded engines can run. */
function groupsOf(scenarios) {
  const groups = new Map();
  for (const scenario of scenarios) {
    const { place, file, threads, contextLength, sequences, kind } = scenario;
    const isApart = sequences !== undefined || kind === "prefix";
    const key = [place, file, threads, contextLength, isApart && kind].join(" ");
    groups.set(key, [...(groups.get(key) ?? []), scenario]);
  }
  return [...groups.values()];
}

/** A group's engines by name; one that cannot be loaded has `failure` instead of an engine. */
async function loadEngines(group, { execPath, files, print }) {
  const [{ place, file, threads, contextLength, sequences, options: shared }] = group;
  const loaded = new Map();
  for (const name of new Set(group.flatMap(({ engines }) => engines))) {
    const { module, options } = ENGINES[name];
    const engine = new Engine(execPath);
    const startMs = performance.now();
    try {
      const sizes = { threads, contextLength, sequences };
      const spec = { place, module, options: { ...options, ...shared }, model: files[file] };
      const about = await engine.load({ ...spec, ...sizes });
      loaded.set(name, { engine, about });
      print(`  ${name}: loaded in ${secondsSince(startMs)}`);
    } catch (error) {
      await engine.close();
      loaded.set(name, { failure: error.message });
      print(`  ${name}: ${error.message}`);
    }
  }
  return loaded;
}

/** How many tails were made. */
let tails = 0;

/** The first tokens of the prompts, and others behind them each time. */
function withTail(prompts, shared, tail) {
  const { tokens } = prompts.slice(0, shared);
  const first = shared + (tails++ % 16) * tail;
  return { tokens: [...tokens, ...prompts.slice(first, first + tail).tokens] };
}

/** Milliseconds of one run of a scenario. */
function measureOnce({ tokens, depth, steps, sequences, shared, tail = 0 }, engine, prompts) {
  if (shared !== undefined) return engine.first(withTail(prompts, shared, tail));
  if (sequences !== undefined) {
    return engine.together(prompts.slice(0, depth), prompts.slice(depth, depth + steps));
  }
  if (tokens !== undefined) return engine.prefill(prompts.slice(0, tokens));
  return engine.decode(prompts.slice(0, depth), prompts.slice(depth, depth + steps));
}

/** A small uncounted run; it fills the context that the scenario decodes after. */
function warmUp({ tokens, ...rest }, engine, prompts) {
  const scenario =
    rest.shared !== undefined
      ? rest
      : tokens === undefined
        ? { ...rest, steps: WARM_UP_STEPS }
        : { tokens: Math.min(tokens, WARM_UP_TOKENS) };
  return measureOnce(scenario, engine, prompts);
}

/**
 * A run, and the cores used meanwhile by engines that should have waited and by other processes.
 */
async function measureAlone(scenario, engine, { others, prompts }) {
  const roots = [engine.pid, process.pid, ...others.map(({ pid }) => pid)];
  const before = readProcessorMs(roots);
  const startMs = performance.now();
  const ms = await measureOnce(scenario, engine, prompts);
  const elapsedMs = performance.now() - startMs;
  const after = readProcessorMs(roots);
  if (before === undefined || after === undefined) return { ms };
  const trees = after.trees.map((tree, i) => tree - before.trees[i]);
  const sum = (values) => values.reduce((total, value) => total + value, 0);
  return {
    ms,
    waitingCores: sum(trees.slice(2)) / elapsedMs,
    foreignCores: Math.max(0, after.machine - before.machine - sum(trees)) / elapsedMs,
  };
}

/** Every engine once per round; each round begins with another one. */
async function runRounds(scenario, entries, { rounds, prompts, print, loaded }) {
  const use = async (entry, action) => {
    if (entry.failure !== undefined) return;
    try {
      await action(entry.engine);
    } catch (error) {
      entry.failure = error.message;
      print(`  ${entry.name}: ${error.message}`);
    }
  };
  for (const entry of entries) {
    await use(entry, async (engine) => {
      const startMs = performance.now();
      await warmUp(scenario, engine, prompts);
      print(`  ${entry.name}: ready after ${secondsSince(startMs)}`);
    });
  }
  await setTimeout(SETTLE_MS);
  for (let round = 0; round < rounds; round++) {
    const first = round % entries.length;
    for (const entry of [...entries.slice(first), ...entries.slice(0, first)]) {
      const others = loaded.filter((engine) => engine !== entry.engine);
      await use(entry, async (engine) => {
        entry.runs.push(await measureAlone(scenario, engine, { others, prompts }));
      });
    }
    print(`  round ${round + 1} of ${rounds}`);
  }
}

/**
 * Measures scenarios. Options: `execPath` of the Node that engines run in, `files` by type,
 * `prompts` for them, `rounds`, and `print` for lines of progress. Resolves to the scenarios with
 * their title and, by engine, `runs`, as many as there were before a `failure`.
 */
export async function measure(scenarios, options) {
  const measured = [];
  for (const group of groupsOf(scenarios)) {
    const [{ place, file, threads }] = group;
    options.print(`${place}, ${file}, ${threads} thread${threads > 1 ? "s" : ""}`);
    const byName = await loadEngines(group, options);
    const loaded = [...byName.values()].flatMap(({ engine }) => engine ?? []);
    for (const scenario of group) {
      const title = titleOf(scenario);
      options.print(title);
      const entries = scenario.engines.map((name) => ({ name, runs: [], ...byName.get(name) }));
      await runRounds(scenario, entries, { ...options, loaded });
      for (const { name, failure } of entries) {
        if (failure !== undefined) byName.get(name).failure = failure;
      }
      const engines = entries.map(({ engine, ...entry }) => entry);
      measured.push({ ...scenario, title, engines });
    }
    for (const engine of loaded) await engine.close();
  }
  return measured;
}
