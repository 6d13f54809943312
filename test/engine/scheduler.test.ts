/** Who gets which rows of a forward pass, and who gets pages: simulations of many sequences. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { seededRandom } from "../support/random.js";
import { Simulation, type SimulationOptions, type Text, type Turn } from "./support/simulation.js";

/** More by hand: `SIMULATIONS=1000 node build/test/engine/scheduler.test.js`. */
const SIMULATIONS = Number(process.env.SIMULATIONS ?? 60);

/** As src/engine/scheduler.ts has them. */
const TURN_MS = 500;
const LEAST_ROWS = 16;

/** Rows evaluated for each row that is needed: what putting back may cost. */
const MOST_REPEATS = 3;

/** A machine that evaluates some 100 rows a second. */
const OPTIONS: SimulationOptions = {
  ...{ maxSequences: 16, batchSize: 512, cacheTokens: 1 << 14, prefixCache: false },
  ...{ passMs: 100, rowMs: 10 },
};

let nextToken = 0;

/** Tokens that no other prompt has. */
function tokensOf(length: number): number[] {
  return Array.from({ length }, () => nextToken++);
}

/** A text with prompts of these lengths. */
function text(lengths: number | readonly number[], own: Partial<Text> = {}): Text {
  const prompts = [lengths].flat().map(tokensOf);
  return { prompts, arrivalMs: 0, steps: 0, readerMs: 0, pauseMs: 0, ...own };
}

/** As many texts as requested, made one by one. */
function texts(count: number, make: (index: number) => Text): Text[] {
  return Array.from({ length: count }, (_, i) => make(i));
}

/** What holds for any turn. */
function checkTurn({ waiting }: Turn, { maxSequences, batchSize }: SimulationOptions): void {
  const parts = waiting.filter(({ n }) => n > 0);
  assert.ok(parts.length > 0 && parts.length <= maxSequences, `${parts.length} parts`);
  const rows = parts.reduce((sum, { left, n }) => sum + (left > 1 ? n : 0), 0);
  assert.ok(rows <= batchSize, `${rows} rows`);
}

/** Runs a simulation until all texts have ended. */
async function simulate(
  texts: readonly Text[],
  changed: Partial<SimulationOptions> = {},
): Promise<Simulation> {
  const options = { ...OPTIONS, ...changed };
  const simulation = new Simulation(texts, options);
  await simulation.run();
  for (const turn of simulation.turns) checkTurn(turn, options);
  return simulation;
}

/** Rows that were evaluated, over those that no other had computed. */
function repeats({ lives, turns }: Simulation): number {
  let needed = 0;
  for (const { sequence, cachedTokens } of lives) needed += sequence.length - cachedTokens;
  return turns.reduce((sum, { rows }) => sum + rows, 0) / needed;
}

/** The most turns in a row in which a sequence with pages got no rows. */
function longestWait({ turns }: Simulation): number {
  let longest = 0;
  const waits = new Map<unknown, number>();
  for (const { waiting } of turns) {
    for (const { life, n, isAdmitted } of waiting) {
      const wait = n > 0 || !isAdmitted ? 0 : (waits.get(life) ?? 0) + 1;
      waits.set(life, wait);
      longest = Math.max(longest, wait);
    }
  }
  return longest;
}

for (let seed = 1; seed <= SIMULATIONS; seed++) {
  test(`any texts end, and few rows are evaluated twice: ${seed}`, async () => {
    const random = seededRandom(seed);
    const below = (n: number): number => Math.floor(random() * n);
    const any = texts(1 + below(30), () =>
      text([1 + below(below(3) > 0 ? 60 : 800), 1 + below(100)].slice(below(2)), {
        ...{ steps: below(40), arrivalMs: below(2) * below(20_000) },
        ...{ readerMs: below(3) === 0 ? below(2000) : 0, pauseMs: below(20_000) },
      }),
    );
    const simulation = await simulate(any, {
      ...{ maxSequences: 1 + below(16), batchSize: [16, 100, 512][below(3)] },
      ...{ cacheTokens: 1200 + below(4) * 1000, prefixCache: below(2) === 0 },
      ...{ passMs: 1 + below(300), rowMs: 0.1 + 20 * random() },
    });
    assert.ok(repeats(simulation) < MOST_REPEATS, `${repeats(simulation)} times the rows`);
  });
}

for (let seed = 1; seed <= SIMULATIONS; seed++) {
  test(`texts of which each fills the cache follow each other: ${seed}`, async () => {
    const random = seededRandom(seed);
    const below = (n: number): number => Math.floor(random() * n);
    const cacheTokens = 640;
    const some = texts(2 + below(3), () => {
      const steps = 1 + below(40);
      return text(cacheTokens - 40 - below(64), { steps, readerMs: below(50) });
    });
    const options = { cacheTokens, passMs: 1, rowMs: 0.01, prefixCache: below(2) === 0 };
    await simulate(some, options);
  });
}

test("a step takes part in every turn, whatever prompts come", async () => {
  const prompts = texts(10, (i) => text(700, { arrivalMs: 300 * i }));
  const { turns } = await simulate([text(20, { steps: 100 }), ...prompts]);
  for (const { waiting } of turns) {
    for (const { left, n, isAdmitted } of waiting) if (left === 1 && isAdmitted) assert.is(n, 1);
  }
});

test("prompts of old sequences leave places to the steps of young ones", async () => {
  const old = texts(16, () => text([20, 400], { pauseMs: 10_000 }));
  const young = text(20, { steps: 300, arrivalMs: 5_000 });
  const { turns } = await simulate([...old, young]);
  for (const { waiting } of turns) {
    const step = waiting.find(({ life, left }) => life.text === young && left === 1);
    assert.ok(step === undefined || step.n === 1);
  }
});

test("with others waiting a turn takes the set time, however fast the machine is", async () => {
  for (const rowMs of [0.5, 2, 10, 25, 100]) {
    const three = [text(20, { steps: 200 }), text(4000), text(3000)];
    const { turns } = await simulate(three, { rowMs, passMs: 10 });
    const shared = turns.filter(({ waiting }) => waiting.length > 1);
    assert.ok(shared.length > 10, `${shared.length} turns`);
    // The rate of rows is known by then.
    const { ms, rows } = shared[shared.length >> 1];
    const isFull = rows >= OPTIONS.batchSize || ms >= TURN_MS / 2;
    assert.ok(isFull, `only ${ms} ms for ${rows} rows of ${rowMs} ms`);
    for (const { ms, rows } of shared.slice(8)) {
      const isLeast = rows <= LEAST_ROWS + 2;
      assert.ok(isLeast || ms <= 1.1 * TURN_MS, `${ms} ms for ${rows} rows of ${rowMs} ms`);
    }
  }
});

test("a prompt alone has whole batches", async () => {
  const { turns } = await simulate([text(1400)]);
  const rows = turns.map((turn) => turn.rows);
  assert.equal(rows, [512, 512, 376]);
});

test("a short prompt behind long ones soon has its turn", async () => {
  const long = texts(2, () => text(4000));
  const { lives } = await simulate([...long, text(30, { arrivalMs: 5_000 })]);
  const [waitMs] = lives[2].waits;
  assert.ok(waitMs < 5 * TURN_MS, `${waitMs} ms`);
});

test("short prompts that never cease do not stop a long one", async () => {
  for (const length of [16, 32, 45]) {
    const short = texts(300, (i) => text(length, { arrivalMs: 400 * i }));
    const simulation = await simulate([text(3000), ...short], { rowMs: 30 });
    const wait = longestWait(simulation);
    assert.ok(wait <= OPTIONS.maxSequences, `${wait} turns`);
  }
});

test("small texts that never cease do not keep the pages from a large one", async () => {
  const small = texts(300, (i) => text(40, { steps: 20, arrivalMs: 200 * i }));
  const large = text(900, { arrivalMs: 1_000 });
  const { lives } = await simulate([...small, large], { cacheTokens: 1000 });
  const [waitMs] = lives[small.length].waits;
  assert.ok(waitMs < 40_000, `${waitMs} ms`);
});

for (const readerMs of [0, 1, 50, 1000]) {
  test(`texts that do not fit together, read in ${readerMs} ms a token`, async () => {
    for (const prefixCache of [false, true]) {
      for (const cacheTokens of [1000, 1300, 2000]) {
        const six = texts(6, () => text(600, { steps: 200, readerMs }));
        const simulation = await simulate(six, { cacheTokens, prefixCache });
        assert.ok(repeats(simulation) < MOST_REPEATS, `${repeats(simulation)} times the rows`);
      }
    }
  });
}

test("all texts end where the clock stands still while the program computes", async () => {
  const three = texts(3, () => text(300, { steps: 20, readerMs: 5 }));
  const { turns } = await simulate(three, { cacheTokens: 400, passMs: 0, rowMs: 0 });
  // Without a rate, a turn that others wait for has the least rows.
  for (const { waiting, rows } of turns) assert.ok(waiting.length === 1 || rows <= LEAST_ROWS + 2);
});

test("one prompt of many texts is evaluated once, and then all go on together", async () => {
  const prompt = tokensOf(600);
  const same = texts(20, () => text(0, { prompts: [prompt], steps: 10 }));
  const { turns, lives } = await simulate(same, { prefixCache: true });
  for (const { cachedTokens } of lives.slice(1)) assert.ok(cachedTokens >= 576);
  const most = Math.max(...turns.map(({ waiting }) => waiting.filter(({ n }) => n > 0).length));
  assert.is(most, OPTIONS.maxSequences);
});

test("a prompt waits for shared rows only until they are there", async () => {
  const begin = tokensOf(100);
  const two = texts(2, () => text(0, { prompts: [[...begin, ...tokensOf(900)]] }));
  const { turns, lives } = await simulate(two, { prefixCache: true });
  const [first, second] = lives;
  assert.is(second.cachedTokens, 64);
  const begun = turns.find(({ waiting }) =>
    waiting.some(({ life, n }) => life === second && n > 0),
  );
  const { length } = begun!.waiting.find(({ life }) => life === first)!;
  assert.ok(length >= 64 && length <= 64 + 3 * LEAST_ROWS, `${length} rows`);
});

test.run();
