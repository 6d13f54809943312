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
  member.count = count;
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

test("one member alone waits for nobody", async () => {
  const { memory } = await share();
  const member = await createMember(memory, 0);
  for (let i = 0; i < 3; i++) member.join();
  assert.ok(new Uint8Array(memory.buffer, TEAM_PTR, TEAM_BYTES).every((byte) => byte === 0));
});

test("a member that does not come is missed, asleep or spinning", async () => {
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

/** What a thread of the tests does: adds to its own word, meets, and checks the others' words. */
const PROGRAM = `
  const { parentPort, workerData } = require("node:worker_threads");
  const { memory, module, teamUrl, index, count, rounds, wordsPtr } = workerData;
  import(teamUrl).then(({ Member }) => {
    const kernels = new WebAssembly.Instance(module, { env: { memory } }).exports;
    const member = new Member({ kernels, memory, teamPtr: ${TEAM_PTR}, index, maySleep: true });
    member.count = count;
    const words = new Int32Array(memory.buffer, wordsPtr, count);
    let wrong = 0;
    for (let round = 1; round <= rounds; round++) {
      words[index] = round; // no atomics: the barrier must do
      member.join();
      for (const word of words) if (word !== round) wrong++;
      member.join();
    }
    parentPort.postMessage(wrong);
  });
`;

/** How often a thread of a team, whose members meet again and again, saw something old or new. */
async function meet(count: number, rounds: number): Promise<number> {
  const { memory, module } = await share();
  const teamUrl = new URL("../../src/kernels/team.js", import.meta.url).href;
  const wordsPtr = TEAM_PTR + TEAM_BYTES;
  const wrong = await Promise.all(
    Array.from({ length: count }, (_, index) => {
      const workerData = { memory, module, teamUrl, index, count, rounds, wordsPtr };
      const worker = new Worker(PROGRAM, { eval: true, workerData, execArgv: [] });
      return new Promise<number>((resolve, reject) => {
        worker.on("message", resolve);
        worker.on("error", reject);
      });
    }),
  );
  const team = new Int32Array(memory.buffer, TEAM_PTR, TEAM_BYTES / 4);
  assert.is(team[0], 0, "nobody waits any more");
  assert.is(team[16], 2 * rounds, "turns");
  assert.is(team[48], 0, "nobody sleeps any more");
  return wrong.reduce((a, b) => a + b);
}

test("two threads meet 10,000 times and see what each other wrote", async () => {
  assert.is(await meet(2, 5000), 0);
});

test("more threads than cores meet too: they sleep", async () => {
  assert.is(await meet(5, 200), 0);
});

test("announced work is awaited, and counted", async () => {
  const { memory } = await share();
  const member = await createMember(memory, 0);
  assert.is(member.announced, 0);
  member.announce();
  member.announce();
  assert.is(member.announced, 2);
  assert.is(member.awaitWork(0), 2);
});

test.run();
