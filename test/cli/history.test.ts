import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { History, MOST_LINES } from "../../src/cli/chat/history.js";
import { stateFolder } from "../../src/cli/state-folder.js";
import { folder } from "./support/plm.js";

const never = (error: unknown): never => {
  throw error;
};

/** The lines that are kept, newest first. */
async function linesOf(path: string): Promise<readonly string[]> {
  return (await History.open(path, never)).lines;
}

test("lines are kept in a file that is made when the first is, for the user alone", async () => {
  const path = join(folder, "new", "deep", "history");
  const history = await History.open(path, never);
  assert.equal(history.lines, []);
  await history.flushed();
  assert.not(existsSync(join(folder, "new")));
  for (const line of ["one", "two\u2028", "two\u2028", "  ", "thr\\ee\\", "x".repeat(1e6)]) {
    history.add(line);
  }
  await history.flushed();
  assert.equal(await linesOf(path), ["thr\\ee\\", "two\u2028", "one"]);
  assert.is(statSync(path).mode & 0o777, 0o600);
  assert.is(statSync(join(folder, "new", "deep")).mode & 0o777, 0o700);
  assert.equal(readdirSync(join(folder, "new", "deep")), ["history"]);
});

test("two programs keep the lines of both, and at most so many", async () => {
  const path = join(folder, "both");
  const [one, two] = [await History.open(path, never), await History.open(path, never)];
  one.add("first");
  await one.flushed();
  two.add("second");
  await two.flushed();
  one.add("third");
  await one.flushed();
  assert.equal(await linesOf(path), ["third", "second", "first"]);
  const many = Array.from({ length: MOST_LINES + 5 }, (_, i) => `${JSON.stringify(`line ${i}`)}\n`);
  writeFileSync(path, many.join(""));
  one.add("last");
  await one.flushed();
  const kept = await linesOf(path);
  assert.is(kept.length, MOST_LINES);
  assert.equal(kept.slice(0, 2), ["last", `line ${MOST_LINES + 4}`]);
  assert.is(readFileSync(path, "utf8").split("\n").length, MOST_LINES + 1);
});

test("what is damaged, or no history, is passed over", async () => {
  const path = join(folder, "damaged");
  writeFileSync(path, '"one"\n"tw\n7\n"a\\nb"\n\u0000\n"three"');
  assert.equal(await linesOf(path), ["three", "one"]);
  writeFileSync(path, Uint8Array.of(0xff, 10, 34, 0xff, 34));
  assert.is((await linesOf(path)).length, 1);
  // Only the end of a file that is much too long.
  writeFileSync(path, `"${"x".repeat(1 << 20)}"\n"end"\n`);
  assert.equal(await linesOf(path), ["end"]);
  assert.equal(await linesOf(folder), []);
});

test("a place that cannot be written is reported once", async () => {
  const path = join(folder, "taken", "history");
  writeFileSync(join(folder, "taken"), "");
  const failures: unknown[] = [];
  const history = await History.open(path, (error) => failures.push(error));
  history.add("one");
  history.add("two");
  await history.flushed();
  assert.is(failures.length, 1);
  assert.match(String(failures[0]), "history could not be written");
  mkdirSync(join(folder, "directory"));
  const onto = await History.open(join(folder, "directory"), (error) => failures.push(error));
  onto.add("one");
  await onto.flushed();
  assert.is(failures.length, 2);
});

test("the folder is that of XDG, or the system's", () => {
  const home = resolve("/home/x");
  const at = (system: NodeJS.Platform, env: NodeJS.ProcessEnv = {}): string | undefined =>
    stateFolder({ env, system, home });
  assert.is(at("linux"), join(home, ".local", "state", "plm-wasm"));
  assert.is(at("darwin"), join(home, "Library", "Application Support", "plm-wasm"));
  assert.is(at("win32"), join(home, "AppData", "Local", "plm-wasm"));
  assert.is(at("win32", { LOCALAPPDATA: "L" }), join("L", "plm-wasm"));
  assert.is(at("linux", { XDG_STATE_HOME: resolve("/s") }), resolve("/s/plm-wasm"));
  for (const XDG_STATE_HOME of ["", "relative"]) {
    assert.is(at("linux", { XDG_STATE_HOME }), join(home, ".local", "state", "plm-wasm"));
  }
  assert.ok(stateFolder({ env: {} }) !== undefined);
});

test.run();
