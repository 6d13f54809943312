/** Runtimes changed as by sandboxes and test runners, each in a process of its own. */
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";

/** A process hangs if it waits for something that does not come. */
const LIMIT_MS = 60_000;

/** The one line that a script of this folder writes, parsed. */
function run(script: string, args: readonly string[] = [], flags: readonly string[] = []): unknown {
  const path = resolve(`build/test/platform/support/${script}.js`);
  const options = { encoding: "utf8", timeout: LIMIT_MS } as const;
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    [...flags, path, ...args],
    options,
  );
  assert.equal([status, signal], [0, null], `${args}: ${stderr}`);
  return JSON.parse(stdout);
}

const expected = run("changed-realm", ["nothing", "after import"]);

for (const change of ["ses lockdown", "ses lockdown, least tamed"]) {
  test(`generates under ${change}`, () => {
    assert.equal(run("changed-realm", [change, "before import"]), expected);
    assert.equal(run("changed-realm", [change, "after loading"]), expected);
  });
}

test("generates under --frozen-intrinsics", () => {
  const args = ["nothing", "after import"];
  assert.equal(run("changed-realm", args, ["--frozen-intrinsics"]), expected);
});

for (const change of ["sinon, as vitest and jest have it", "node:test"]) {
  for (const moment of ["before import", "after import", "after loading"]) {
    test(`generates under fake timers: ${change}, ${moment}`, () => {
      assert.equal(run("changed-realm", [change, moment]), expected);
    });
  }
}

/** The error from a process with these flags. */
function refusal(script: string, ...flags: string[]): { code: string; message: string } {
  return run(script, ["nothing", "after import"], flags) as { code: string; message: string };
}

test("without WebAssembly, the error says so", () => {
  const { code, message } = refusal("changed-realm", "--jitless");
  assert.is(code, "UNSUPPORTED_RUNTIME");
  assert.match(message, /^runtime: expected WebAssembly, got none/);
});

/** V8 refuses WebAssembly SIMD on an x86 processor without SSE 4.1; a flag simulates one. */
const onX64 = process.arch === "x64" ? test : test.skip;

onX64("without SIMD: the error says so", () => {
  const { code, message } = refusal("changed-realm", "--no-enable-sse4-1");
  assert.is(code, "UNSUPPORTED_RUNTIME");
  assert.match(message, /^kernels: expected WebAssembly SIMD, this runtime lacks it: /);
});

test("where compiling is forbidden, the error says so, with the alternative", () => {
  const { code, message } = refusal("forbidden-compiling", "--experimental-vm-modules");
  assert.is(code, "UNSUPPORTED_RUNTIME");
  assert.match(message, /^kernels: expected to be allowed to compile .* passed as `wasm`\): /);
});

test.run();
