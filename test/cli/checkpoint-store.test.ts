/** Checkpoints on a real file system, and what a kill or a full disk leaves of them. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { folderStore } from "../../src/cli/checkpoint-store.js";
import { Checkpoints, checkpointName } from "../../src/training/run/checkpoints.js";
import { assertRejects } from "../model/support/engine.js";
import { trainingConfig } from "../training/support/config.js";
import { smallCheckpoint } from "../training/support/store.js";
import { folder as root } from "./support/plm.js";

const config = trainingConfig();
const WRITER = resolve("build/test/cli/support/checkpoint-writer.js");
const posix = process.platform !== "win32";

/** Saves a step in a process of its own; `limit` is the most blocks a file may have. */
function saveApart(folder: string, step: number, fatal: string, limit = "unlimited") {
  const command = `ulimit -f ${limit}; exec "$0" "$@"`;
  const args = [process.execPath, WRITER, folder, String(step), fatal];
  const { signal, stdout } = spawnSync("sh", ["-c", command, ...args], { encoding: "utf8" });
  return { signal, stdout };
}

async function newestStep(folder: string): Promise<number | undefined> {
  return (await new Checkpoints(folderStore(folder), config).load())?.checkpoint.step;
}

test("a folder is made, and keeps the last two whole", async () => {
  const folder = join(root, "runs", "one");
  const store = folderStore(folder);
  assert.equal(await store.list(), []);
  const run = new Checkpoints(store, config);
  for (const step of [1, 2, 3]) await run.save(smallCheckpoint(step));
  assert.equal(readdirSync(folder).sort(), [checkpointName(2), checkpointName(3)]);
  const found = await new Checkpoints(store, config).load();
  assert.equal(found!.checkpoint, smallCheckpoint(3));
});

test("tensors of shared memory are written as they are", async () => {
  const store = folderStore(join(root, "shared"));
  const bytes = new Uint8Array(new SharedArrayBuffer(1 << 20)).map((_, i) => i * 7);
  await store.writeAtomically("bytes", [bytes.subarray(3, 1 << 19), Uint8Array.of(1, 2)]);
  const read = await store.read("bytes");
  assert.is(read.length, (1 << 19) - 3 + 2);
  assert.ok(read.subarray(0, -2).every((byte, i) => byte === bytes[i + 3]));
});

test("paths that are not folders, or cannot be read", async () => {
  const file = join(root, "file");
  writeFileSync(file, "x");
  const store = folderStore(file);
  await assertRejects(store.list(), "UNREADABLE_FILE", file);
  await assertRejects(store.writeAtomically("a", []), "UNWRITABLE_FILE", file);
  await assertRejects(folderStore(root).read("none"), "UNREADABLE_FILE", "none");
});

if (posix) {
  test("kill -9 at any piece leaves the one before, and the next save clears up", async () => {
    const folder = join(root, "killed");
    for (const [i, fatal] of ["0", "1", "2", "end"].entries()) {
      const step = 10 * (i + 1);
      assert.is(saveApart(folder, step, "never").stdout, "ok\n");
      const before = readdirSync(folder);
      assert.is(saveApart(folder, step + 1, fatal).signal, "SIGKILL");
      const after = readdirSync(folder);
      assert.is(after.length, before.length + 1, `${fatal}: ${after}`);
      assert.is(await newestStep(folder), step);
    }
    assert.is(saveApart(folder, 99, "never").stdout, "ok\n");
    assert.equal(readdirSync(folder).sort(), [checkpointName(40), checkpointName(99)]);
  });

  test("a disk that is full says so, and leaves what was there", async () => {
    const folder = join(root, "full");
    for (const step of [1, 2]) assert.is(saveApart(folder, step, "never").stdout, "ok\n");
    const before = readdirSync(folder).map((name) => readFileSync(join(folder, name)));
    const { stdout } = saveApart(folder, 3, "never", "8");
    assert.match(stdout, /^UNWRITABLE_FILE .*step-000000003\.checkpoint could not be written/);
    assert.match(stdout, /EFBIG: .*; what was there is intact/);
    assert.equal(readdirSync(folder).sort(), [checkpointName(1), checkpointName(2)]);
    assert.equal(
      readdirSync(folder).map((name) => readFileSync(join(folder, name))),
      before,
    );
    assert.is(await newestStep(folder), 2);
  });

  test("a folder without permission to write", async () => {
    // The superuser may write everywhere.
    if (process.getuid?.() === 0) return;
    const folder = join(root, "closed");
    await folderStore(folder).writeAtomically("a", [Uint8Array.of(1)]);
    chmodSync(folder, 0o500);
    const denied = folderStore(folder).writeAtomically("a", [Uint8Array.of(2)]);
    await assertRejects(denied, "UNWRITABLE_FILE", "EACCES");
    assert.equal([...readFileSync(join(folder, "a"))], [1]);
    chmodSync(folder, 0o700);
  });
}

test("a process that ends itself while it writes leaves nothing", () => {
  const folder = join(root, "ended");
  mkdirSync(folder);
  const url = pathToFileURL(resolve("build/src/cli/write-whole.js"));
  const script = `import { writeWhole } from "${url}";
    function* pieces() { yield Uint8Array.of(1); process.exit(7); }
    await writeWhole(${JSON.stringify(join(folder, "file"))}, pieces());`;
  const { status } = spawnSync(process.execPath, ["--input-type=module", "--eval", script]);
  assert.is(status, 7);
  assert.equal(readdirSync(folder), []);
});

test.run();
