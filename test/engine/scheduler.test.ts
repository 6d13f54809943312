/** Who gets which rows of a forward pass, in simulations with any number of sequences. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { seededRandom } from "../support/random.js";
import { Simulation, type SimulationOptions, type Text, type Turn } from "./support/simulation.js";

const SEEDS = Number(process.env.SIMULATIONS ?? 40);
const TURN_MS = 500;
const LEAST_ROWS = 16;

const OPTIONS: SimulationOptions = {
  ...{ maxSequences: 16, batchSize: 512, cacheTokens: 1 << 14, prefixCache: false },
  ...{ passMs: 100, rowMs: 10 },
};

/** A text with prompts of these lengths, whose tokens no other begins with. */
function text(lengths: number | readonly number[], own: Partial<Text> = {}): Text {
  const prompts = [lengths].flat().map((length) => {
    const first = 1000 * texts++;
    return Array.from({ length }, (_, i) => first + i);
  });
  return { prompts, arrivalMs: 0, steps: 0, readerMs: 0, pauseMs: 0, ...own };
}
let texts = 0;

async function simulate(
  texts: readonly Text[],
  options: Partial<SimulationOptions> = {},
): Promise<Simulation> {
  const simulation = new Simulation(texts, { ...OPTIONS, ...options });
  await simulation.run();
  return simulation;
}

/** What holds for any turn. */
function checkTurn({ waiting }: Turn, { maxSequences, batchSize }: SimulationOptions): void {
  const parts = waiting.filter(({ n }) => n > 0);
  assert.ok(parts.length > 0 && parts.length <= maxSequences, `${parts.length} parts`);
  const rows = parts.reduce((sum, { left, n }) => sum + (left > 1 ? n : 0), 0);
  assert.ok(rows <= batchSize, `${rows} rows`);
}

for (let seed = 1; seed <= SEEDS; seed++) {
  test(`any texts end, each turn within its limits: ${seed}`, async () => {
    const random = seededRandom(seed);
    const below = (n: number): number => Math.floor(random() * n);
    const options = {
      ...{ maxSequences: 1 + below(16), batchSize: [16, 100, 512][below(3)] },
      ...{ cacheTokens: 1000 + below(4) * 1000, prefixCache: below(2) === 0 },
      ...{ passMs: 1 + below(300), rowMs: 0.1 + 20 * random() },
    };
    const texts = Array.from({ length: 1 + below(30) }, () =>
      text(1 + below(below(3) > 0 ? 60 : 800), {
        ...{ steps: below(40), arrivalMs: below(2) * below(20_000) },
        readerMs: below(3) === 0 ? below(2000) : 0,
      }),
    );
    const simulation = await simulate(texts, options);
    for (const turn of simulation.turns) checkTurn(turn, { ...OPTIONS, ...options });
  });
}

test("a step takes part in every turn, whatever prompts come", async () => {
  const texts = [text(20, { steps: 100 })];
  for (let i = 0; i < 10; i++) texts.push(text(700, { arrivalMs: 300 * i }));
  const { turns } = await simulate(texts);
  for (const { waiting } of turns) {
    for (const { left, n, isAdmitted } of waiting) if (left === 1 && isAdmitted) assert.is(n, 1);
  }
});

test("with others waiting a turn takes the set time, however fast the machine is", async () => {
  for (const rowMs of [0.5, 2, 10, 25]) {
    const texts = [text(20, { steps: 200 }), text(4000), text(3000)];
    const { turns } = await simulate(texts, { rowMs, passMs: 10 });
    const busy = turns.filter(({ waiting }) => waiting.length > 1);
    for (const { ms, rows } of busy.slice(8)) {
      const isLeast = rows <= LEAST_ROWS + 2;
      assert.ok(isLeast || ms <= 1.3 * TURN_MS, `${ms} ms for ${rows} rows of ${rowMs} ms`);
    }
  }
});

test("a prompt alone has whole batches", async () => {
  const { turns } = await simulate([text(1400)]);
  assert.equal(
    turns.map(({ rows }) => rows),
    [512, 512, 376],
  );
});

test("a short prompt behind long ones soon has its turn", async () => {
  const long = [text(4000), text(4000)];
  const simulation = await simulate([...long, text(30, { arrivalMs: 5_000 })]);
  const short = simulation.lives[2];
  assert.ok(short.waits[0] < 5 * TURN_MS, `${short.waits[0]} ms`);
});

/** The most turns in a row in which a sequence with pages got no rows. */
function longestWait({ lives, turns }: Simulation): number {
  let longest = 0;
  const waits = new Map(lives.map((life) => [life, 0]));
  for (const { waiting } of turns) {
    for (const { life, n, isAdmitted } of waiting) {
      const wait = n > 0 || !isAdmitted ? 0 : waits.get(life)! + 1;
      waits.set(life, wait);
      longest = Math.max(longest, wait);
    }
  }
  return longest;
}

test("short prompts that never cease do not stop a long one", async () => {
  for (const length of [16, 32, 45]) {
    const texts = [text(3000)];
    for (let i = 0; i < 300; i++) texts.push(text(length, { arrivalMs: 400 * i }));
    const simulation = await simulate(texts, { rowMs: 30 });
    assert.ok(longestWait(simulation) <= 16, `${longestWait(simulation)} turns`);
  }
});

test("prompts of old sequences leave places to the steps of young ones", async () => {
  const old = Array.from({ length: 16 }, () => text([20, 400], { pauseMs: 10_000 }));
  const young = text(20, { steps: 300, arrivalMs: 5_000 });
  const simulation = await simulate([...old, young]);
  for (const { waiting } of simulation.turns) {
    const step = waiting.find(({ life: { text }, left }) => text === young && left === 1);
    assert.ok(step === undefined || step.n === 1);
  }
});

/** Rows that were evaluated, over those of all tokens. */
function repeats({ lives, rows }: Simulation): number {
  let needed = 0;
  for (const { sequence, cachedTokens } of lives) needed += sequence.length - cachedTokens;
  return rows / needed;
}

for (const readerMs of [0, 1, 50, 1000]) {
  test(`texts that do not fit together, each read in ${readerMs} ms`, async () => {
    const texts = Array.from({ length: 6 }, () => text(600, { steps: 200, readerMs }));
    for (const cacheTokens of [1000, 1300, 2000]) {
      const simulation = await simulate(texts, { cacheTokens });
      console.log(readerMs, cacheTokens, repeats(simulation), simulation.turns.length);
    }
  });
}

test.run();
