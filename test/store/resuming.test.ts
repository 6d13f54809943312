/** Downloads that end early, in any way, and those that go on. */
import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { loadModel, models } from "../../src/index.js";
import { BLOCK_BYTES } from "../../src/store/manifest.js";
import { errorOf } from "../sources/support/error-of.js";
import { seededRandom } from "../support/random.js";
import { type Fault, type Hub, serveHub } from "./support/hub.js";
import { filesIn, onlyModel, removeOwnStores, useOwnStore } from "./support/own-store.js";

test.after(removeOwnStores);

const CLI = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));
const TINY = readFileSync(new URL("../../../models/plm-tiny.gguf", import.meta.url));
const random = seededRandom(3);
const FILE = Uint8Array.from({ length: 6 * BLOCK_BYTES + 77 }, () => random() * 256);
const SOURCE = "hf:owner/repo/m.gguf";

const slow: Fault = async () => {
  await sleep(150);
  return false;
};

/** Answers the first requests for a file, and then no more. */
const upTo =
  (count: number): Fault =>
  (exchange) =>
    exchange.count > count;

/** A hub, an empty store, and what the command line needs of the environment. */
async function start(
  files: Record<string, Uint8Array> = { "m.gguf": FILE },
): Promise<{ hub: Hub; store: string }> {
  const hub = await serveHub(files);
  process.env.HF_ENDPOINT = hub.url.href;
  return { hub, store: useOwnStore() };
}

interface Running {
  readonly child: ChildProcess;
  readonly exit: Promise<number | null>;
  err(): string;
}

function plm(...args: string[]): Running {
  return run(process.execPath, [CLI, ...args]);
}

function run(program: string, args: string[]): Running {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  let err = "";
  child.stderr!.on("data", (piece) => (err += piece));
  const exit = new Promise<number | null>((resolve) => child.on("close", resolve));
  return { child, exit, err: () => err };
}

/** Blocks that the manifest of the store's only entry has. */
function storedBlocks(store: string): number[] {
  try {
    const [key] = readdirSync(store);
    const { blocks } = JSON.parse(readFileSync(join(store, key, "manifest.json"), "utf8"));
    return (blocks as string).split(",").flatMap((crc, i) => (crc === "" ? [] : [i]));
  } catch {
    return [];
  }
}

/** Begins a download in a process that is killed when so many blocks are stored. */
async function killWith(store: string, count: number): Promise<void> {
  const { child, exit, err } = plm("pull", SOURCE);
  for (let i = 0; i < 2_000 && storedBlocks(store).length < count; i++) await sleep(10);
  assert.ok(storedBlocks(store).length >= count, err());
  child.kill("SIGKILL");
  await exit;
}

/** The block that each request begins with. */
function requestedBlocks({ requests }: Hub): number[] {
  return requests.map((line) => Number(/ (\d+)-/.exec(line)?.[1] ?? 0) / BLOCK_BYTES);
}

test("a download that was killed goes on with the missing blocks", async () => {
  const { hub, store } = await start();
  hub.fault = upTo(4);
  await killWith(store, 3);
  const kept = storedBlocks(store);
  assert.ok(kept.length >= 3 && kept.length < 7, `${kept.length} blocks`);
  assert.equal(await models.list().then(([{ isWhole }]) => isWhole), false);
  hub.requests.length = 0;
  hub.fault = undefined;
  const second = plm("pull", SOURCE);
  assert.is(await second.exit, 0, second.err());
  const again = requestedBlocks(hub).filter((block) => kept.includes(block) && block > 0);
  assert.equal(again, [], "only what is missing is requested, after the first answer");
  assert.ok(Buffer.from(onlyModel(store)).equals(FILE));
  assert.equal(filesIn(store).sort(), ["manifest.json", "model"], "no lock is left");
  await hub.close();
});

test("two processes that download one model end with one whole file", async () => {
  const { hub, store } = await start();
  hub.fault = slow;
  const both = [plm("pull", SOURCE), plm("pull", SOURCE)];
  for (const { exit, err } of both) assert.is(await exit, 0, err());
  assert.ok(Buffer.from(onlyModel(store)).equals(FILE));
  const whole = requestedBlocks(hub).filter((block) => block === 3).length;
  assert.is(whole, 1, "a block is requested once");
  await hub.close();
});

test("an abort keeps what is there; a changed file is downloaded anew", async () => {
  const { hub, store } = await start();
  const controller = new AbortController();
  const onProgress = ({ loadedBytes }: { loadedBytes: number }): void => {
    if (loadedBytes > 2 * BLOCK_BYTES) controller.abort("enough");
  };
  const { signal } = controller;
  const aborted = models.pull(SOURCE, { signal, onProgress }).catch((reason) => reason);
  assert.is(await aborted, "enough");
  assert.ok(storedBlocks(store).length >= 2);
  const changed = FILE.slice();
  changed[5 * BLOCK_BYTES] ^= 1;
  hub.files["m.gguf"] = changed;
  hub.fault = ({ response }) => {
    response.setHeader("ETag", '"changed"');
    return false;
  };
  await models.pull(SOURCE);
  assert.ok(Buffer.from(onlyModel(store)).equals(changed));
  await models.pull(SOURCE);
  hub.files["m.gguf"] = FILE;
  await models.pull(SOURCE);
  assert.ok(Buffer.from(onlyModel(store)).equals(FILE), "a later pull asks whether it changed");
  await hub.close();
});

test("a model is loaded while it is stored, and then from the store alone", async () => {
  const { hub, store } = await start({ "m.gguf": TINY });
  const options = { maxTokens: 8, seed: 1 };
  const first = await loadModel(SOURCE);
  const expected = await first.generate("Once", options).text();
  first.dispose();
  assert.ok(Buffer.from(onlyModel(store)).equals(TINY));
  await hub.close();
  const second = await loadModel(SOURCE);
  assert.is(await second.generate("Once", options).text(), expected);
  second.dispose();
  const third = await loadModel(SOURCE, { worker: true });
  assert.is(await third.generate("Once", options).text(), expected);
  third.dispose();
  const whole = await loadModel("hf:owner/repo");
  whole.dispose();
  const url = new URL("m.gguf", hub.url);
  assert.is(
    (await errorOf(loadModel(url))).code,
    "UNREADABLE_FILE",
    "URLs are not stored by default",
  );
});

test("a load that is aborted is gone on with by the next", async () => {
  const { hub } = await start({ "m.gguf": TINY });
  const controller = new AbortController();
  const onProgress = (): void => controller.abort("enough");
  const loading = loadModel(SOURCE, { signal: controller.signal, onProgress });
  assert.is(await loading.catch((reason) => reason), "enough");
  const [{ isWhole }] = await models.list();
  assert.is(isWhole, false);
  const { signal } = new AbortController();
  (await loadModel(SOURCE, { signal })).dispose();
  assert.is((await models.list())[0].isWhole, true);
  await hub.close();
});

test("a stored copy whose bytes changed is found out and removed", async () => {
  const { hub, store } = await start({ "m.gguf": TINY });
  await models.pull(SOURCE);
  const [key] = readdirSync(store);
  const path = join(store, key, "model");
  const bytes = readFileSync(path);
  bytes[BLOCK_BYTES + 1000] ^= 1;
  writeFileSync(path, bytes);
  const { code, message } = await errorOf(loadModel(SOURCE));
  assert.is(code, "INVALID_FILE");
  assert.match(message, /the stored copy was damaged \(block 1\) and is removed/);
  assert.equal(filesIn(store), []);
  (await loadModel(SOURCE)).dispose();
  writeFileSync(join(store, key, "model"), bytes.subarray(0, 100));
  assert.is((await errorOf(loadModel(SOURCE))).code, "INVALID_FILE");
  await hub.close();
});

test("a damaged block of an unfinished download is requested again", async () => {
  const { hub, store } = await start();
  hub.fault = upTo(5);
  await killWith(store, 4);
  const [key] = readdirSync(store);
  const path = join(store, key, "model.part");
  const bytes = readFileSync(path);
  for (const block of storedBlocks(store)) bytes[block * BLOCK_BYTES + 9] ^= 255;
  writeFileSync(path, bytes);
  hub.fault = undefined;
  await models.pull(SOURCE);
  assert.ok(Buffer.from(onlyModel(store)).equals(FILE));
  await hub.close();
});

/** The command line where no file may be longer than 5 MB: as on a full disk, writing fails. */
function plmWithoutRoom(...args: string[]): Running {
  return run("bash", ["-c", 'ulimit -f 5000 && exec "$@"', "bash", process.execPath, CLI, ...args]);
}

test("a store without room leaves no half file; a model loads all the same", async () => {
  const { hub, store } = await start({ "m.gguf": TINY });
  const pulled = plmWithoutRoom("pull", SOURCE);
  assert.is(await pulled.exit, 1);
  assert.match(pulled.err(), /^plm: hf:owner\/repo\/m.gguf: could not be stored in .*: EFBIG/);
  assert.equal(filesIn(store), []);
  const loaded = plmWithoutRoom("generate", "--model", SOURCE, "--prompt", "Once");
  assert.is(await loaded.exit, 0, loaded.err());
  assert.equal(filesIn(store), []);
  await hub.close();
});

test.run();
