/**
 * Many sequences at once, at random: each has the logits of the same tokens in the same phases
 * alone, bit for bit, whatever its neighbours, the pages, the threads, the rows that it reused and
 * the layers that are streamed.
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

/** What a sequence is about. */
interface Subject {
  readonly chance: Chance;
  /** What it begins with, and goes on with as far as it has gone back. */
  readonly text: readonly number[];
  /** How the rows of a session that was saved had been computed. */
  readonly restored?: Uint8Array;
}

/** What all sequences of a schedule share. */
interface Schedule {
  readonly model: LoadedPlm;
  readonly evaluated: Evaluated[];
  restored: number;
}

/** Evaluates some tokens, and notes what came of it. */
async function evaluate(
  session: LocalSession,
  { chance, text, restored = new Uint8Array(0) }: Subject,
  schedule: Schedule,
): Promise<void> {
  const { length: from } = session;
  const phase: Phase = from === 0 ? chance.pick(PHASES) : chance.pick(["decode", ...PHASES]);
  const room = session.contextLength - from;
  if (room === 0) return;
  const most = from > 0 ? 70 : phase === "decode" ? 20 : LONGEST_PROMPT;
  const n = Math.min(room, chance.below(2) === 0 && from > 0 ? 1 : chance.length(most));
  const common = text.slice(from, from + chance.below(n + 1));
  const tail = Array.from({ length: n - common.length }, () => chance.below(DIMS.vocabSize));
  const tokens = [...common, ...tail];
  const kind = chance.below(4) === 0 ? "hidden" : "logits";
  const choice = chance.pick(["all", "none", "last", "last", "last"] as const);
  const controller = new AbortController();
  if (chance.below(6) === 0) {
    let turns = chance.below(4);
    const later = (): unknown => (turns-- > 0 ? setImmediate(later) : controller.abort(REASON));
    later();
  }
  const chunkSize = 1 + chance.below(300);
  const options = { phase, [kind]: choice, chunkSize, signal: controller.signal };
  try {
    const out = await session.evaluate(tokens, options);
    const { history } = session.sequence;
    const after = { tokens: history.tokens.slice(), kinds: history.kinds.slice() };
    assert.equal([...after.tokens.subarray(from)], tokens);
    after.kinds.set(restored);
    if (choice !== "none") schedule.evaluated.push({ ...after, from, kind, choice, out });
  } catch (error) {
    if (error !== REASON) throw error;
    assert.ok(session.length >= from && session.length < from + n);
  }
}

/** One sequence, and those that it forks. */
async function live(
  session: LocalSession,
  steps: number,
  subject: Subject,
  schedule: Schedule,
): Promise<void> {
  const { chance, text } = subject;
  let own = session;
  const forks: Promise<void>[] = [];
  for (let step = 0; step < steps; step++) {
    const action = chance.below(12);
    if (action === 0) {
      const fork = { chance: new Chance(chance.below(2 ** 30)), text };
      forks.push(live(own.fork() as LocalSession, Math.min(2, steps - step), fork, schedule));
    } else if (action === 1) {
      own.truncate(chance.below(own.length + 1));
    } else if (action === 2) {
      // Another sequence with the same beginning.
      own.dispose();
      own = schedule.model.createSession() as LocalSession;
    } else if (action === 3 && schedule.restored < MOST_RESTORED) {
      schedule.restored++;
      const restored = own.sequence.history.kinds.slice();
      const saved = chance.below(2) === 0 ? await own.save() : own.saveStream();
      const again = (await schedule.model.restoreSession(saved)).session as LocalSession;
      assert.equal(again.tokens, own.tokens);
      for (let i = chance.below(4); i > 0; i--)
        await evaluate(again, { ...subject, restored }, schedule);
      again.dispose();
      schedule.restored--;
    } else await evaluate(own, subject, schedule);
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
    residentLayers: seed % 5 === 0 ? 1 : DIMS.numHiddenLayers,
  };
  const { cacheType, attention } = rows;
  const what = `${seed}: ${sequences} sequences, ${variant}, ${threads} threads, ${cacheType}`;
  const { residentLayers } = options;

  test(`schedule ${what}, ${attention}, ${residentLayers} layers in memory`, async () => {
    const file = chance.pick(FILES);
    const model = await loadEngine(file, options);
    const schedule: Schedule = { model, evaluated: [], restored: 0 };
    const lives = Array.from({ length: sequences }, () => {
      const own = new Chance(chance.below(2 ** 30));
      const subject = { chance: own, text: own.pick(TEXTS) };
      return live(model.createSession() as LocalSession, 2 + own.below(5), subject, schedule);
    });
    await Promise.all(lives);
    assert.is(model.pagesInUse, 0);
    model.dispose();
    const alone = new Alone(await loadEngine(file, rows));
    for (const evaluated of schedule.evaluated) await alone.assertEqual(evaluated);
  });
}

test.run();
