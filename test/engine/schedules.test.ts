/**
 * Many sequences at once, at random: each has the logits of the same tokens in the same phases
 * alone, bit for bit, whatever its neighbours, the pages, the threads and the rows that it reused.
 */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { CACHE_TYPES } from "../../src/cache/rows.js";
import type { LoadedPlm, LoadOptions } from "../../src/engine/load.js";
import type { LocalSession } from "../../src/engine/local-session.js";
import { VARIANTS } from "../../src/kernels/load.js";
import { PHASES, type Phase } from "../../src/model/batch.js";
import { PRECISIONS } from "../../src/model/precision.js";
import { loadEngine } from "../model/support/engine.js";
import { claimProcessors } from "../model/support/processors.js";
import { Q8_CACHE_DIMS, tinyModel, tinyTokens } from "../model/support/tiny.js";
import { seededRandom } from "../support/random.js";
import { Alone, type Evaluated } from "./support/alone.js";

/** Schedules to run; more by hand: `SCHEDULES=300 node build/test/engine/schedules.test.js`. */
const SCHEDULES = Number(process.env.SCHEDULES ?? 30);
const CONTEXT = 800;
const LONGEST_PROMPT = 700;
const MOST_SEQUENCES = 16;
/** Restored sessions that may live at once: their pages cannot be taken from them. */
const MOST_RESTORED = 2;

const TYPES = ["Q8_0", "Q4_0", "F32", "Q4_1", "Q5_1"] as const;
const DIMS = { ...Q8_CACHE_DIMS, numHiddenLayers: 2, contextLength: CONTEXT };
const FILES = TYPES.map((type) => tinyModel({ dims: DIMS, type }));
/** What prompts begin with, so that many have something in common. */
const TEXTS = [1, 2, 3].map((seed) => tinyTokens(LONGEST_PROMPT, seed));
const REASON = new Error("enough");

// More threads than the machine may have processors.
let unclaim: () => void;
test.before(() => {
  unclaim = claimProcessors(16);
});
test.after(() => unclaim());

/** The random choices of one sequence or schedule. */
class Chance {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  below(n: number): number {
    return Math.floor(this.#random() * n);
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)];
  }

  /** Mostly short, sometimes up to `most`. */
  length(most: number): number {
    return 1 + this.below(this.below(3) > 0 ? Math.min(most, 40) : most);
  }
}

/** What all sequences of a schedule share. */
interface Schedule {
  readonly model: LoadedPlm;
  readonly evaluated: Evaluated[];
  restored: number;
}

/** Evaluates some tokens, and notes what came of it. */
async function evaluate(session: LocalSession, chance: Chance, schedule: Schedule): Promise<void> {
  const { length: from } = session;
  const phase: Phase = from === 0 ? chance.pick(PHASES) : chance.pick(["decode", ...PHASES]);
  const room = session.contextLength - from;
  if (room === 0) return;
  const most = from > 0 ? 70 : phase === "decode" ? 20 : LONGEST_PROMPT;
  const n = Math.min(room, chance.below(2) === 0 && from > 0 ? 1 : chance.length(most));
  const common = from === 0 ? chance.pick(TEXTS).slice(0, chance.below(n + 1)) : [];
  const tail = Array.from({ length: n - common.length }, () => chance.below(DIMS.vocabSize));
  const tokens = [...common, ...tail];
  const logits = chance.below(5) === 0 ? "all" : "last";
  const controller = new AbortController();
  if (chance.below(6) === 0) {
    let turns = chance.below(4);
    const later = (): unknown => (turns-- > 0 ? setImmediate(later) : controller.abort(REASON));
    later();
  }
  const chunkSize = 1 + chance.below(300);
  const options = { phase, logits, chunkSize, signal: controller.signal } as const;
  try {
    const out = await session.evaluate(tokens, options);
    const { history } = session.sequence;
    const after = { tokens: history.tokens.slice(), kinds: history.kinds.slice() };
    assert.equal([...after.tokens.subarray(from)], tokens);
    schedule.evaluated.push({ ...after, from, logits, out });
  } catch (error) {
    if (error !== REASON) throw error;
    assert.ok(session.length >= from && session.length < from + n);
  }
}

/** One sequence, and those that it forks. */
async function live(
  session: LocalSession,
  steps: number,
  chance: Chance,
  schedule: Schedule,
): Promise<void> {
  let own = session;
  const forks: Promise<void>[] = [];
  for (let step = 0; step < steps; step++) {
    const action = chance.below(12);
    if (action === 0) {
      const fork = new Chance(chance.below(2 ** 30));
      forks.push(live(own.fork() as LocalSession, Math.min(2, steps - step), fork, schedule));
    } else if (action === 1) {
      own.truncate(chance.below(own.length + 1));
    } else if (action === 2) {
      // Another sequence with the same beginning.
      own.dispose();
      own = schedule.model.createSession() as LocalSession;
    } else if (action === 3 && schedule.restored < MOST_RESTORED) {
      schedule.restored++;
      const saved = chance.below(2) === 0 ? await own.save() : own.saveStream();
      const { session: again } = await schedule.model.restoreSession(saved);
      assert.equal(again.tokens, own.tokens);
      again.dispose();
      schedule.restored--;
    } else await evaluate(own, chance, schedule);
  }
  own.dispose();
  await Promise.all(forks);
}

for (let seed = 1; seed <= SCHEDULES; seed++) {
  const chance = new Chance(seed);
  const variant = VARIANTS[seed % 2];
  const threads = 1 + (seed % 3);
  const sequences = 1 + chance.below(MOST_SEQUENCES);
  const rows: LoadOptions = {
    cacheType: chance.pick(CACHE_TYPES),
    attention: chance.pick(["absorbed", "expanded"] as const),
    precision: chance.pick(PRECISIONS),
    variant,
  };
  const options: LoadOptions = {
    ...rows,
    threads,
    batchSize: chance.pick([16, 100, 512]),
    maxSequences: 1 + chance.below(MOST_SEQUENCES),
    cacheTokens: CONTEXT * (1 + MOST_RESTORED) + chance.pick([0, 0, 1000, 8000]),
    prefixCache: true,
  };
  const { cacheType, attention } = rows;
  const what = `${seed}: ${sequences} sequences, ${variant}, ${threads} threads, ${cacheType}`;

  test(`schedule ${what}, ${attention}`, async () => {
    const file = chance.pick(FILES);
    const model = await loadEngine(file, options);
    const schedule: Schedule = { model, evaluated: [], restored: 0 };
    const lives = Array.from({ length: sequences }, () => {
      const own = new Chance(chance.below(2 ** 30));
      return live(model.createSession() as LocalSession, 2 + own.below(5), own, schedule);
    });
    await Promise.all(lives);
    assert.is(model.pagesInUse, 0);
    model.dispose();
    const alone = new Alone(await loadEngine(file, rows));
    for (const evaluated of schedule.evaluated) await alone.assertEqual(evaluated);
  });
}

test.run();
