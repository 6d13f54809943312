import { test } from "uvu";
import * as assert from "uvu/assert";
import { Checkpoints, checkpointName } from "../../../src/training/run/checkpoints.js";
import { assertRejects } from "../../model/support/engine.js";
import { trainingConfig } from "../support/config.js";
import { MemoryStore, smallCheckpoint } from "../support/store.js";

const config = trainingConfig();

/** A store in which a run has saved these steps. */
async function storeWith(...steps: number[]): Promise<MemoryStore> {
  const store = new MemoryStore();
  const run = new Checkpoints(store, config);
  for (const step of steps) await run.save(smallCheckpoint(step));
  return store;
}

const stepsIn = ({ files }: MemoryStore): number[] =>
  [...files.keys()].map((name) => Number(/\d+/.exec(name)?.[0])).sort((a, b) => a - b);

function damage(store: MemoryStore, step: number): void {
  const name = checkpointName(step);
  store.files.set(name, store.files.get(name)!.subarray(0, 100));
}

test("nothing is there at first", async () => {
  assert.is(await new Checkpoints(new MemoryStore(), config).load(), undefined);
});

test("the last two stay, and the newest is loaded", async () => {
  const store = await storeWith(5, 10, 15, 20);
  assert.equal(stepsIn(store), [15, 20]);
  const found = await new Checkpoints(store, config).load();
  assert.equal(found!.checkpoint, smallCheckpoint(20));
  assert.is(found!.name, checkpointName(20));
  assert.equal(found!.damaged, []);
});

test("that of the last stable step stays too", async () => {
  const store = await storeWith(590, 600, 610, 620, 630);
  assert.equal(stepsIn(store), [600, 620, 630]);
  for (const step of [620, 630]) damage(store, step);
  assert.is((await new Checkpoints(store, config).load())!.checkpoint.step, 600);
});

test("steps are compared as numbers, and other files are ignored", async () => {
  const store = await storeWith(999999999, 1000000000);
  store.files.set("best.gguf", Uint8Array.of(1));
  store.files.set("step-9999999999.checkpoint.bak", Uint8Array.of(1));
  const found = await new Checkpoints(store, config).load();
  assert.is(found!.checkpoint.step, 1000000000);
  assert.is(store.files.size, 4);
});

test("a damaged newest one is skipped and reported", async () => {
  const store = await storeWith(5, 10);
  damage(store, 10);
  const found = await new Checkpoints(store, config).load();
  assert.is(found!.checkpoint.step, 5);
  assert.equal(
    found!.damaged.map(({ name, error }) => [name, error.code]),
    [[checkpointName(10), "INVALID_FILE"]],
  );
});

test("the one good checkpoint stays until there are two", async () => {
  const store = await storeWith(5, 10);
  damage(store, 10);
  const run = new Checkpoints(store, config);
  await run.load();
  await run.save(smallCheckpoint(12));
  assert.equal(stepsIn(store), [5, 12], "the damaged one goes, the good one stays");
  await run.save(smallCheckpoint(14));
  assert.equal(stepsIn(store), [12, 14]);
});

test("a run that loaded nothing removes nothing until it has two of its own", async () => {
  const store = await storeWith(5, 10);
  const run = new Checkpoints(store, config);
  await run.save(smallCheckpoint(1));
  assert.equal(stepsIn(store), [1, 5, 10]);
  await run.save(smallCheckpoint(2));
  assert.equal(stepsIn(store), [1, 2]);
});

test("a damaged one that is written again counts as good", async () => {
  const store = await storeWith(5, 10);
  damage(store, 10);
  const run = new Checkpoints(store, config);
  await run.load();
  await run.save(smallCheckpoint(10));
  await run.save(smallCheckpoint(10));
  assert.equal(stepsIn(store), [5, 10]);
  assert.is((await new Checkpoints(store, config).load())!.checkpoint.step, 10);
});

test("a full disk leaves what was there", async () => {
  const store = await storeWith(5, 10);
  const run = new Checkpoints(store, config);
  await run.load();
  store.full = true;
  await assertRejects(run.save(smallCheckpoint(15)), "UNWRITABLE_FILE");
  assert.equal(stepsIn(store), [5, 10]);
  store.full = false;
  await run.save(smallCheckpoint(15));
  assert.equal(stepsIn(store), [10, 15]);
});

test("all damaged is an error that names each; another config is no damage", async () => {
  const store = await storeWith(5, 10);
  const other = trainingConfig((json) => {
    json.model.numHiddenLayers = 3;
  });
  const load = new Checkpoints(store, other).load();
  await assertRejects(load, "INVALID_CONFIG", checkpointName(10), "model.numHiddenLayers 2, not 3");
  damage(store, 5);
  damage(store, 10);
  const names = [checkpointName(5), checkpointName(10)];
  await assertRejects(new Checkpoints(store, config).load(), "INVALID_FILE", ...names);
});

test.run();
