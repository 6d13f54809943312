import { Worker } from "node:worker_threads";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { PlmError } from "../../src/errors.js";
import { loadKernels } from "../../src/kernels/load.js";
import { Member, TEAM_BYTES } from "../../src/kernels/team.js";

const TEAM_PTR = 65536;

/** A shared memory with the kernels over it. */
async function share(): Promise<{ memory: WebAssembly.Memory; module: WebAssembly.Module }> {
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 2, shared: true });
  const { module } = await loadKernels(memory, { variant: "simd" });
  return { memory, module };
}

async function createMember(
  memory: WebAssembly.Memory,
  index: number,
  { count = 1, maySleep = true, patienceMs = 60_000 } = {},
): Promise<Member> {
  const { kernels } = await loadKernels(memory, { variant: "simd" });
  const parts = { kernels, memory, teamPtr: TEAM_PTR, index, maySleep, patienceMs };
  const member = new Member(parts);
  member.begin(count);
  return member;
}

test("shares cover everything once, in order, in units, for any number of threads", async () => {
  const { memory } = await share();
  for (let count = 1; count <= 9; count++) {
    const members = await Promise.all(
      Array.from({ length: count }, (_, index) => createMember(memory, index, { count })),
    );
    for (const unit of [1, 4, 8, 64]) {
      for (const total of [0, 1, 3, 4, 7, 8, 9, 63, 64, 65, 100, 576, 2048, 151936]) {
        let at = 0;
        const sizes: number[] = [];
        for (const member of members) {
          const [first, end] = member.share(total, unit);
          const what = `${total} in ${unit}s, thread ${member.index} of ${count}`;
          assert.ok(end >= first, what);
          if (end > first) assert.is(first, at, what);
          assert.ok(first % unit === 0 || first === total, what);
          assert.ok(end % unit === 0 || end === total, what);
          at = Math.max(at, end);
          sizes.push(Math.ceil((end - first) / unit));
        }
        assert.is(at, total);
        assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1, `${sizes}`);
      }
    }
  }
});

test("a single member does not wait", async () => {
  const { memory } = await share();
  const member = await createMember(memory, 0);
  for (let i = 0; i < 3; i++) member.join();
  assert.ok(new Uint8Array(memory.buffer, TEAM_PTR, TEAM_BYTES).every((byte) => byte === 0));
});

test("a missing member is reported by members that sleep and that spin", async () => {
  for (const maySleep of [true, false]) {
    const { memory } = await share();
    const member = await createMember(memory, 0, { count: 2, maySleep, patienceMs: 1 });
    try {
      member.join();
      assert.unreachable("expected THREAD_LOST");
    } catch (error) {
      assert.instance(error, PlmError);
      assert.is((error as PlmError).code, "THREAD_LOST");
    }
  }
});

/** A thread of the tests: a member, and words that all of them write. */
const MEMBER = `
  const { parentPort, workerData } = require("node:worker_threads");
  const { memory, module, teamUrl, index, count, rounds, wordsPtr } = workerData;
  import(teamUrl).then(({ Member }) => {
    const kernels = new WebAssembly.Instance(module, { env: { memory } }).exports;
    const member = new Member({ kernels, memory, teamPtr: ${TEAM_PTR}, index, maySleep: true });
    member.begin(count);
    let wrong = 0;
`;
const END = `
    parentPort.postMessage(wrong);
  });
`;

/** Adds to its own word, joins, and checks the others' words. */
const MEETING = `${MEMBER}
    const words = new Int32Array(memory.buffer, wordsPtr, count);
    for (let round = 1; round <= rounds; round++) {
      words[index] = round; // no atomics: the barrier must suffice
      member.join();
      for (const word of words) if (word !== round) wrong++;
      member.join();
    }
${END}`;

/** Divides items in 8 steps without a join, counts how often each was done, and checks for once. */
const DIVIDING = `${MEMBER}
    const steps = [[0, 1], [1, 8], [7, 8], [100, 1], [33, 8], [1000, 8], [64, 64], [129, 64]];
    const { buffer } = memory;
    const done = steps.map(([total], i) => new Int32Array(buffer, wordsPtr + i * 4096, total));
    for (let round = 1; round <= rounds; round++) {
      steps.forEach(([total, unit], i) => member.divide(total, unit, true, (first, end) => {
        if (first >= end || first % unit !== 0 || (end % unit !== 0 && end !== total)) wrong++;
        for (let thing = first; thing < end; thing++) Atomics.add(done[i], thing, 1);
      }));
      member.join();
      for (const things of done) for (const times of things) if (times !== round) wrong++;
      member.join();
    }
${END}`;

/** The first member's clock advances an hour at every look, as if the process had been stopped. */
const STOPPED = `
  let hours = 0;
  const isFirst = require("node:worker_threads").workerData.index === 0;
  if (isFirst) performance.now = () => 3_600_000 * hours++;
  ${MEMBER}
    if (!isFirst) {
      const sleeping = new Int32Array(memory.buffer, ${TEAM_PTR + 192}, 1);
      while (Atomics.load(sleeping, 0) === 0);
      Atomics.wait(new Int32Array(memory.buffer, wordsPtr, 1), 0, 0, 300);
    }
    for (let i = 0; i < 2 * rounds; i++) member.join();
    if (isFirst && hours < 2) wrong++;
${END}`;

const WORDS_PTR = TEAM_PTR + TEAM_BYTES;

/** Runs a program as one member's thread; returns the number of errors it found. */
function runMember(
  program: string,
  shared: { memory: WebAssembly.Memory; module: WebAssembly.Module },
  place: { index: number; count: number; rounds?: number },
): Promise<number> {
  const teamUrl = new URL("../../src/kernels/team.js", import.meta.url).href;
  const workerData = { ...shared, ...place, teamUrl, wordsPtr: WORDS_PTR };
  const worker = new Worker(program, { eval: true, workerData, execArgv: [] });
  return new Promise((resolve, reject) => {
    worker.on("message", resolve);
    worker.on("error", reject);
  });
}

/** Runs a program on `count` threads; returns the number of errors it found. */
async function runMembers(program: string, count: number, rounds: number): Promise<number> {
  const shared = await share();
  const { memory } = shared;
  const wrong = await Promise.all(
    Array.from({ length: count }, (_, index) =>
      runMember(program, shared, { index, count, rounds }),
    ),
  );
  const team = new Int32Array(memory.buffer, TEAM_PTR, TEAM_BYTES / 4);
  assert.is(team[0], 0, "no thread waits any more");
  assert.is(team[16], 2 * rounds, "turns");
  assert.is(team[48], 0, "no thread sleeps any more");
  return wrong.reduce((a, b) => a + b);
}

test("two threads join 10,000 times and see each other's writes", async () => {
  assert.is(await runMembers(MEETING, 2, 5000), 0);
});

test("more threads than cores also join: they sleep", async () => {
  assert.is(await runMembers(MEETING, 5, 200), 0);
});

test("items divided piecemeal are done once, by any thread", async () => {
  assert.is(await runMembers(DIVIDING, 2, 300), 0);
  assert.is(await runMembers(DIVIDING, 5, 20), 0);
});

test("a process that was stopped has lost no thread", async () => {
  assert.is(await runMembers(STOPPED, 2, 1), 0);
});

test("announced work is awaited, each piece as a new one", async () => {
  const { memory } = await share();
  const [leader, member] = [await createMember(memory, 0), await createMember(memory, 1)];
  const none = member.announced;
  leader.announce(2);
  const first = member.awaitWork(none)!;
  assert.is.not(first, none);
  assert.is(member.count, 2);
  leader.announce(3);
  assert.is.not(member.awaitWork(first), first);
  assert.is(member.count, 3);
});

/** Takes part in announced work; reports how often when it is dismissed. */
const WORKING = `${MEMBER}
    const words = new Int32Array(memory.buffer, wordsPtr, count);
    for (let last = 0; (last = member.awaitWork(last)) !== undefined; ) {
      words[index]++;
      if (index >= member.count) wrong++;
      member.join();
    }
${END}`;

test("the members that take part change from one piece of work to the next", async () => {
  const threads = 4;
  const shared = await share();
  const { memory } = shared;
  const leader = await createMember(memory, 0);
  const ends = Array.from({ length: threads - 1 }, (_, i) =>
    runMember(WORKING, shared, { index: i + 1, count: threads }),
  );
  const expected = new Int32Array(threads);
  for (let piece = 0; piece < 400; piece++) {
    // Sometimes for so long that members that take no part fall asleep.
    const count = 1 + ((piece >> (piece % 3)) % threads);
    if (count > 1) leader.announce(count);
    else leader.begin(1);
    for (let index = 1; index < count; index++) expected[index]++;
    leader.join();
    if (piece % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  leader.dismiss(1);
  assert.equal(await Promise.all(ends), [0, 0, 0]);
  assert.equal(new Int32Array(memory.buffer, WORDS_PTR, threads), expected);
});

test("members from an index on are dismissed, whatever they wait for", async () => {
  const shared = await share();
  const start = (index: number): Promise<number> => runMember(WORKING, shared, { index, count: 3 });
  const [second, third] = [start(1), start(2)];
  const leader = await createMember(shared.memory, 0);
  leader.announce(3);
  leader.join();
  leader.dismiss(2);
  assert.is(await third, 0);
  leader.announce(2);
  leader.join();
  leader.dismiss(1);
  assert.is(await second, 0);
});

test("time asleep at a barrier is counted, time that passes elsewhere is not", async () => {
  const shared = await share();
  const late = `${MEMBER}
    Atomics.wait(new Int32Array(memory.buffer, wordsPtr, 1), 0, 0, 80);
    member.join();
  ${END}`;
  const ended = runMember(late, shared, { index: 1, count: 2 });
  const leader = await createMember(shared.memory, 0, { count: 2 });
  leader.join();
  const lateMs = leader.takeLateMs();
  assert.ok(lateMs >= 40, `${lateMs} ms of each of two members`);
  assert.is(leader.takeLateMs(), 0);
  assert.is(await ended, 0);
});

test.run();
